"""The command line itself: what it accepts, what it refuses, how it ends."""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.command import Target, read_any_day, read_day
from cli.main import COMMANDS, main
from cli.stack.deployment import NAMES
from cli.terminal import CommandError, UsageError
from local.engine import EngineError
from local.history_folder import HistoryFolder, Saved, write_marker
from local.stored_history import StoredTable
from local.synthesis import SynthesisError
from tests.infrastructure.house import ROOT
from traffic.record.merge import Day, Entry, Name, item_of_day, item_of_entry

Opening = Callable[[str], list[Target]]


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> Opening:
    """Return a function that makes a command note its target, and then fail to open it."""

    def patch(command: str) -> list[Target]:
        targets: list[Target] = []

        @contextmanager
        def opened(target: Target) -> Iterator[Any]:
            targets.append(target)
            raise CommandError("opened")
            yield

        monkeypatch.setattr(f"cli.commands.{command}.opened", opened)
        return targets

    return patch


@pytest.mark.parametrize(
    "arguments",
    [
        ("--aws", "--profile", "p", "--region", "eu-west-1", "--stack-name", "s", "executions"),
        ("executions", "--aws", "--profile", "p", "--region", "eu-west-1", "--stack-name", "s"),
        ("--aws", "--region", "eu-west-1", "executions", "--profile", "p", "--stack-name", "s"),
        ("--profile", "p", "--stack-name", "s", "executions", "--region", "eu-west-1", "--aws"),
        (
            "--aws",
            "--profile",
            "o",
            "--region",
            "o",
            "executions",
            "--profile=p",
            "--region=eu-west-1",
            "--stack-name=s",
        ),
    ],
)
def test_the_options_for_aws_may_stand_before_or_after_the_command(
    arguments: tuple[str, ...], opening: Opening
) -> None:
    """`gh` and `aws` users write them in either place; the option after the command wins."""
    targets = opening("executions")

    assert main(arguments) == 1

    assert targets == [Target(aws=True, profile="p", region="eu-west-1", stack_name="s")]
    assert targets[0].options == " --aws --profile p --region eu-west-1 --stack-name s"


def test_without_options_a_command_works_on_this_machine(opening: Opening) -> None:
    """The stack's usual name alone chooses nothing else."""
    targets = opening("executions")

    assert main(["executions", "--stack-name", "GitHubTrafficCaptureStack"]) == 1

    assert targets == [Target()]
    assert targets[0].options == ""


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("run", "--date", "2999-01-01"),
            (
                "Invalid value for '--date': '2999-01-01' lies in the future: GitHub has no traffic for it yet."
                " `traffic run --help` shows the usage."
            ),
        ),
        (
            ("show", "octo/docs", "--since", "20261120"),
            (
                "Invalid value for '--since': '20261120' is not a day; expected one like 2026-11-20, today"
                " or yesterday. `traffic show --help` shows the usage."
            ),
        ),
        (
            ("note", "octo/docs", "2026-02-30"),
            (
                "Invalid value for '[DAY]': '2026-02-30' is not a day; expected one like 2026-11-20, today,"
                " yesterday or tomorrow. `traffic note --help` shows the usage."
            ),
        ),
        (
            ("run", "--at", "2026-11-20T09:00:00"),
            (
                "Invalid value for '--at': '2026-11-20T09:00:00' is not a time; expected one like 2026-11-20T09:00:00Z,"
                " with Z or an offset such as +01:00. `traffic run --help` shows the usage."
            ),
        ),
        (
            ("run", "--at", "2026-11-20T09:00:00Z", "--date", "2026-11-20"),
            "--date and --at cannot go together: leave one of them out.",
        ),
        (
            ("executions", "--limit", "0"),
            "Invalid value for '--limit': 0 is not in the range x>=1. `traffic executions --help` shows the usage.",
        ),
        (
            ("chart", "octo/docs", "--metric", "stars"),
            (
                "Invalid value for '--metric': 'stars' is not one of 'views', 'clones'."
                " `traffic chart --help` shows the usage."
            ),
        ),
        (("show",), "Missing argument 'REPO'. `traffic show --help` shows the usage."),
        (
            ("show", "octo/docs", "--sinc"),
            "No such option '--sinc'. Did you mean '--since'? `traffic show --help` shows the usage.",
        ),
        (("show", "a/b", "c"), "Got unexpected extra argument (c). `traffic show --help` shows the usage."),
        (("exprot",), "No such command 'exprot'. Did you mean 'export'? `traffic --help` shows the usage."),
        (("exec",), "No such command 'exec'. Did you mean 'executions'? `traffic --help` shows the usage."),
        (("--aws",), "Missing command. `traffic --help` shows the usage."),
        (("--awss", "show"), "No such option '--awss'. Did you mean '--aws'? `traffic --help` shows the usage."),
        (("--nonsense",), "No such option '--nonsense'. `traffic --help` shows the usage."),
        (("--nonsense", "show"), "No such option '--nonsense'. `traffic --help` shows the usage."),
        (
            ("--sinc", "2026-11-20", "show", "octo/docs"),
            "No such option '--sinc'. Did you mean '--since'? `traffic show --help` shows the usage.",
        ),
        (
            ("--limit=3", "executions"),
            (
                "--limit must follow its command: `traffic executions --limit`."
                " `traffic executions --help` shows the usage."
            ),
        ),
    ],
)
def test_wrong_use_is_one_line_and_exits_with_2(
    arguments: tuple[str, ...], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing starts: a wrong date must not cost an engine's start, or a run."""
    assert main(arguments) == 2

    assert capsys.readouterr() == ("", f"traffic: error: {error}\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("run", "--aws", "--at", "2026-11-20T09:00:00Z"),
            "--at replays the past against a simulated GitHub; the stack in AWS has the real one: leave --at out.",
        ),
        (
            ("start", "--aws"),
            "--aws: the rule in AWS needs no command to keep it running; `traffic run --aws` starts a run now.",
        ),
        *(
            (
                ("show", "octo/docs", option, "other"),
                (
                    "--profile, --region and --stack-name choose a stack in AWS: add --aws."
                    " `traffic show --help` shows the usage."
                ),
            )
            for option in ("--region", "--profile", "--stack-name")
        ),
    ],
)
def test_options_that_cannot_go_together_exit_with_2(
    arguments: tuple[str, ...], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise they would silently do something else than was asked."""
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"traffic: error: {error}\n")


REPOSITORY = "expected owner/name, owner/name~ID or the id, as in octo/docs"
EXECUTION = "expected the name of a run, or its ARN; `traffic executions` lists them"


@pytest.mark.parametrize("typed", ["", " ", "octo /docs", "octo/docs\n", "octo/\x1bdocs", "o" * 301, "9" * 5000])
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (("show",), (), REPOSITORY),
        (("badge",), (), REPOSITORY),
        (("chart",), (), REPOSITORY),
        (("note",), (), REPOSITORY),
        (("note",), ("2026-11-20", "v2 released"), REPOSITORY),
        (("import", "x", "--repository"), (), "expected OWNER/NAME, or PATH=OWNER/NAME"),
        (("executions",), (), EXECUTION),
        (("cost",), (), EXECUTION),
        (("news",), (), EXECUTION),
    ],
)
def test_what_cannot_be_a_name_is_refused_before_anything_is_opened(
    before: tuple[str, ...], after: tuple[str, ...], expected: str, typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable that is not set leaves an empty argument; DynamoDB's own error about it helps nobody."""
    assert main([*before, typed, *after]) == 2

    error = capsys.readouterr().err
    assert expected in error
    assert len(error) < 400
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--date", ""),
        ("show", "octo/docs", "--since", ""),
        ("chart", "octo/docs", "--since", ""),
        ("export", "--format", "csv", "--since", ""),
        ("note", "octo/docs", ""),
    ],
)
def test_an_empty_day_is_refused(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """It must not mean every day."""
    assert main(arguments) == 2
    assert "'' is not a day; expected one like 2026-11-20, today" in capsys.readouterr().err


@pytest.mark.parametrize(("word", "days"), [("today", 0), ("yesterday", -1), ("Yesterday", -1)])
def test_every_option_that_takes_a_day_takes_a_word(word: str, days: int) -> None:
    """People think in words; the day is one of UTC, as all of GitHub's are."""
    day = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()

    assert (read_day(word), read_any_day(word)) == (day, day)


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_without_arguments_the_help_is_shown(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """As `gh` does: somebody who types the name alone asks what it can do."""
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("Usage: traffic [OPTIONS] COMMAND")


REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no such right."}}, "ListExecutions")
AWS_SAID = "An error occurred (AccessDenied) when calling the ListExecutions operation: no such right."
LOCAL_ADVICE = "Look into engine.log in the history's folder, then try again: nothing that was stored is lost."
AWS_ADVICE = "Check --profile, --region and the rights of these credentials; `traffic doctor --aws` checks more."


@pytest.mark.parametrize(
    ("raised", "options", "expected"),
    [
        (UsageError("no\nsuch thing"), [], (2, "traffic: error: no such thing\n")),
        (CommandError("no\nsuch thing"), [], (1, "traffic: error: no such thing\n")),
        (EngineError("no\nsuch thing"), [], (1, "traffic: error: no such thing\n")),
        (SynthesisError("no\nsuch thing"), [], (1, "traffic: error: no such thing\n")),
        (OSError("no\nsuch thing"), [], (1, "traffic: error: no such thing\n")),
        (REFUSED, [], (1, f"traffic: error: {AWS_SAID} {LOCAL_ADVICE}\n")),
        (REFUSED, ["--aws"], (1, f"traffic: error: {AWS_SAID} {AWS_ADVICE}\n")),
        (KeyboardInterrupt(), [], (130, "")),
    ],
)
def test_each_kind_of_failure_has_its_exit_code_and_one_line(
    raised: BaseException,
    options: list[str],
    expected: tuple[int, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A user's mistake shows no traceback; a script reads the exit code."""

    def failing(_target: Target) -> None:
        raise raised

    monkeypatch.setattr("cli.commands.executions.opened", failing)

    assert (main(["executions", *options]), capsys.readouterr().err) == expected


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An example shows in a line what a list of options does not; its lines are not wrapped."""
    assert main([command, "--help"]) == 0

    shown = capsys.readouterr().out
    (_, examples) = shown.split("\nexamples:\n")
    assert examples.startswith(f"  traffic {command}")
    assert "  --stack-name NAME" in shown


def test_the_help_lists_every_command_and_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    """The list is in the order of use, and `-h` shows it too."""
    assert main(["-h"]) == 0

    listed = capsys.readouterr().out.split("\nCommands:\n")[1].split("\n\n")[0].splitlines()
    assert listed == [f"  {name:<12}{text}" for name, (_, text) in COMMANDS.items()]


def test_the_version_is_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    """A report of a fault names it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"traffic {project['version']}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("traffic ", list(COMMANDS)),
        (".venv/bin/traffic e", ["executions", "export"]),
        ("traffic export --f", ["--format"]),
        ("traffic export --format ", ["csv", "json", "jsonl", "parquet", "sqlite", "duckdb"]),
        ("traffic --aws export --s", ["--since", "--sources", "--stack-name"]),
    ],
)
def test_a_shell_completes_commands_options_and_choices(
    shell: str, typed: str, offered: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each shell's script sets these variables, and reads one or three lines for each word."""
    last = typed.rpartition(" ")[2]
    monkeypatch.setenv("_TRAFFIC_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", last if shell == "fish" else str(typed.count(" ")))

    assert main([]) == 0

    lines = capsys.readouterr().out.splitlines()
    words = lines[1::3] if shell == "zsh" else [line.partition(",")[2].partition("\t")[0] for line in lines]
    assert words == offered


# What each shell does with its script when somebody presses the tab key after `.venv/bin/traffic` and these words.
PRESSED = {
    "bash": (
        'eval "$(_TRAFFIC_COMPLETE=bash_source "$TRAFFIC")"; COMP_WORDS=("$TRAFFIC" {words}); COMP_CWORD={count};'
        ' _traffic_completion "$TRAFFIC"; printf "%s\\n" "${{COMPREPLY[@]}}"'
    ),
    "zsh": (
        'compdef() {{ }}; eval "$(_TRAFFIC_COMPLETE=zsh_source $TRAFFIC)"; words=($TRAFFIC {words});'
        ' _describe() {{ print -l -- "${{completions_with_descriptions[@]%%:*}}" }}; CURRENT={count}+1;'
        " _traffic_completion"
    ),
    "fish": (
        '_TRAFFIC_COMPLETE=fish_source $TRAFFIC | source; complete -C "$TRAFFIC {words}" | string replace -r "\t.*" ""'
    ),
}


@pytest.mark.parametrize("shell", PRESSED)
@pytest.mark.parametrize(("words", "count", "offered"), [("exp", 1, "export"), ("export --form", 2, "--format")])
def test_the_script_completes_in_a_real_shell(shell: str, words: str, count: int, offered: str) -> None:
    """The program is in no folder of PATH: the script must find it nevertheless."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is missing")
    typed = PRESSED[shell].format(words=words, count=count)

    done = subprocess.run(  # noqa: S603 - our own words
        [program, "-c", typed],
        env={
            "TRAFFIC": str(Path(sys.executable).with_name("traffic")),
            "PATH": "/usr/bin:/bin",
            "HOME": "/nonexistent",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines() == [offered], done.stderr


def test_the_script_of_an_unknown_shell_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who installs completion sees that it does not work."""
    monkeypatch.setenv("_TRAFFIC_COMPLETE", "cmd_source")

    assert main([]) == 1


# Each import costs time at every start. The errors of botocore are small, so commands may import those.
SLOW = {"boto3", "requests", "aiohttp", "ministack", "aws_cdk", "duckdb", "pyarrow", "lambdas", "simulated_github"}
COMMANDS_OWN = {"rich", "botocore", "sqlite3", "cli.commands", "cli.stack", "local"}
CALLING_GITHUB = {"import", "token", "doctor"}


@pytest.mark.parametrize(
    ("arguments", "unused"),
    [
        *((each, SLOW | COMMANDS_OWN) for each in ("", "-h", "--version")),
        *((f"{each} --help", SLOW - ({"requests"} if each in CALLING_GITHUB else set())) for each in COMMANDS),
    ],
)
def test_a_start_imports_only_what_it_uses(arguments: str, unused: set[str]) -> None:
    """Help, version and completion answer before a person has to wait."""
    assert not loaded(*arguments.split()) & unused


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_imports_no_command(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person waits for it after each press of the tab key."""
    monkeypatch.setenv("_TRAFFIC_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "traffic sho")
    monkeypatch.setenv("COMP_CWORD", "sho" if shell == "fish" else "1")

    assert not loaded() & (SLOW | COMMANDS_OWN)


def test_a_command_imports_no_other() -> None:
    """Else each new command makes all of them slower."""
    assert {name for name in loaded("show", "--help") if name.startswith("cli.commands.")} == {"cli.commands.show"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the complete history of a demonstration, as a small one."""
    made = tmp_path_factory.mktemp("home")
    history = HistoryFolder(made / "demo")
    history.prepare()
    write_marker(history, Saved(complete=True))
    days, repositories = (StoredTable(history.tables, NAMES[each]) for each in ("TrafficTable", "RepositoriesTable"))
    entry = Entry({"octo/docs": Name("2026-11-01", "2026-11-20")}, captured_on="2026-11-20")
    repositories.write({"repo-id": "1"}, {}, {"repo-name": "octo/docs", **item_of_entry(entry)})
    key = {"repo-name": "octo/docs", "timestamp": "2026-11-20T00:00:00Z"}
    days.write(key, {}, {"repo-id": 1, **item_of_day(Day({"views-count": 5, "views-uniques": 1}))})
    return made


@pytest.mark.parametrize(
    "command", ["show 1", "badge 1", "chart 1", "verify", "export -f csv", "report -o {home}/report.html"]
)
def test_a_command_that_reads_a_local_history_imports_no_sdk(
    command: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`traffic show` of a small history answers in half a second; boto3 alone takes half of that."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("TRAFFIC_HOME", str(home))

    modules = loaded(*command.format(home=home).split(), code=1 if command == "verify" else 0)

    assert "cli.stack.deployment" in modules
    assert not modules & (SLOW - {"duckdb"} if command.startswith(("export", "report")) else SLOW)


def loaded(*arguments: str, code: int = 0) -> set[str]:
    """Return the modules that a start of the program imports, and check its exit code."""
    program = "import sys; from cli.main import main; code = main(sys.argv[1:]); print(code, *sys.modules)"
    done = subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    ended, *modules = done.stdout.splitlines()[-1].split()
    assert int(ended) == code, done.stderr
    return set(modules)


def test_a_stop_by_a_service_manager_is_as_graceful_as_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM ends the contexts of the command, and with them the engine."""
    ended = []

    @contextmanager
    def opened(_target: Target) -> Iterator[Any]:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
            yield
        finally:
            ended.append("engine")

    monkeypatch.setattr("cli.commands.executions.opened", opened)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["executions"]) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended == ["engine"]


def test_a_reader_that_ends_early_ends_the_command_quietly() -> None:
    """`traffic ... | head -1` must not end in a traceback."""
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--help"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        assert started.stdout
        started.stdout.close()
        _, errors = started.communicate()

    assert (started.returncode, errors) == (141, b"")


def test_each_wrong_setting_has_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person corrects all of them at once."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traffic.toml").write_text('visibility = "some"\nforks = "some"\n', encoding="utf-8")

    assert main(["settings"]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("traffic: error: ") for line in lines)
