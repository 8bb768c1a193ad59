"""Which deployment a command opens, what it deploys before, and what it prints meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.command import Target
from cli.main import main
from cli.stack import demo, ready
from cli.stack.deployment import Deployment, opened
from cli.stack.ready import demonstration, deployed, refuse_real_github
from cli.terminal import CommandError, UsageError
from local.engine import ACCOUNT, REGION
from local.history_folder import HistoryFolder
from local.stored_items import open_tables, to_text
from simulated_github import SimulatedGitHub

NO_TOKEN = """No GitHub token is set: this is a demonstration against a simulated GitHub.
For your own traffic, make a fine-grained token with the permission "Administration" (read) on your repositories at
https://github.com/settings/personal-access-tokens/new
and store it with `traffic token`. The two histories stay separate.

"""


OUTPUTS = {
    "TrafficTable": "Days",
    "RepositoriesTable": "Names",
    "SnapshotsTable": "Totals",
    "StateMachineArn": "machine",
}


class Machine:
    """A machine with an engine on which nothing runs.

    Attributes:
        steps: What happened, in order.
        parameters: Those of the stack that exists; None without a stack.
        deployed: Parameters of the last deployment.
        lost: Archive objects that have to be stored again.
    """

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.steps: list[str] = []
        self.parameters: dict[str, str] | None = {}
        self.deployed: dict[str, str] = {}
        self.lost = 0
        self.engine = SimpleNamespace(
            client=object(),
            history=home,
            save=lambda: self.steps.append("save"),
            note_stored=lambda: self.steps.append("stored"),
        )
        for name in ("GITHUB_TOKEN", "GITHUB_API_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(home)
        monkeypatch.setenv("TRAFFIC_HOME", str(home / "home"))
        for name in ("running_engine", "recover", "stack_of"):
            monkeypatch.setattr(f"cli.stack.deployment.{name}", getattr(self, name))
        for name in ("synthesize", "running_engine", "only_one", "deploy"):
            monkeypatch.setattr(ready, name, getattr(self, name))
        for name in ("stack_of", "present_github", "begin_history"):
            monkeypatch.setattr(demo, name, getattr(self, name))
        monkeypatch.setattr(ready, "_wait_for_runs", lambda _engine: self.steps.append("wait"))

    def synthesize(self, folder: Path, *, on_synth: Any) -> str:
        """Synthesize changed sources."""
        assert folder.parts[-2:] == ("build", "cloud-assembly")
        on_synth()
        return "assembly"

    @contextmanager
    def running_engine(self, history: Path) -> Iterator[Any]:
        """Run the engine."""
        self.steps.append(f"engine in {history.relative_to(self.home)}")
        yield self.engine
        self.steps.append("engine ends")

    @contextmanager
    def only_one(self, lock: Path) -> Iterator[None]:
        """Hold the lock."""
        self.steps.append(f"lock {lock.name} in {lock.parent.name}")
        yield
        self.steps.append("unlock")

    def deploy(self, engine: Any, assembly: str, parameters: dict[str, str]) -> None:
        """Deploy."""
        assert (engine, assembly) == (self.engine, "assembly")
        self.deployed = parameters
        self.steps.append("deploy")

    def recover(self, _engine: Any, outputs: dict[str, str], *, on_progress: Any) -> int:
        """Store again what was lost."""
        assert outputs == OUTPUTS
        for done in range(self.lost + 1):
            on_progress(done, self.lost)
        return self.lost

    def begin_history(self, deployment: Any, now: Any, *, on_stored: Any) -> None:
        """Begin the history of the demonstration."""
        assert now.tzinfo is not None
        record = deployment.record
        assert [record.traffic.name, record.repositories.name, record.snapshots.name] == ["Days", "Names", "Totals"]
        on_stored()

    def stack_of(self, client: Any, place: str, *, save: Any) -> Any:
        """Read the stack."""
        assert client is self.engine.client
        if self.parameters is None:
            raise CommandError("There is no stack.")
        return Deployment(OUTPUTS, client, place, self.parameters, save=save)

    @contextmanager
    def present_github(self) -> Iterator[Any]:
        """Simulate GitHub."""
        yield SimpleNamespace(url="http://127.0.0.1:1234")
        self.steps.append("GitHub ends")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without settings."""
    return Machine(tmp_path, monkeypatch)


def test_the_demonstration_is_deployed_with_its_own_github(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its GitHub ends after the engine, which may still wait for other commands."""
    machine.parameters = None
    with pytest.raises(CommandError), demonstration():
        pass
    assert machine.deployed["GitHubApiUrl"] == "http://127.0.0.1:1234"
    machine.parameters = {}
    machine.steps.clear()
    capsys.readouterr()

    with demonstration() as deployment:
        machine.steps.append("command")

    assert deployment.before == ""
    assert deployment.place == str(machine.home / "home" / "demo")
    assert machine.deployed["GitHubAccessToken"] == "simulated"
    assert machine.steps == [
        "engine in home/demo",
        "lock opening.lock in engine",
        "wait",
        "deploy",
        "stored",
        "unlock",
        "command",
        "engine ends",
        "GitHub ends",
    ]
    printed = capsys.readouterr()
    assert printed.out == f"{NO_TOKEN}Synthesizing the stack, as its sources changed ...\n"
    assert printed.err == ""


def test_the_demonstration_uses_a_simulated_github_that_runs_already(machine: Machine) -> None:
    """Another `traffic demo` serves it, and both show the same numbers."""
    with SimulatedGitHub(repositories=["octo/docs"]) as github:
        machine.parameters = {"GitHubApiUrl": github.url}
        with demonstration():
            pass
    assert machine.deployed["GitHubApiUrl"] == github.url
    with demonstration():
        pass
    assert machine.deployed["GitHubApiUrl"] == "http://127.0.0.1:1234", "it has ended"


def test_with_a_token_githubs_traffic_is_captured(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No GitHub is simulated, and no past."""
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_1")
    with deployed(Target()) as deployment:
        pass

    assert deployment.place == str(machine.home / "home" / "api.github.com")
    assert machine.deployed["GitHubAccessToken"] == "ghp_1"
    assert machine.deployed["GitHubApiUrl"] == "https://api.github.com"
    assert machine.steps[3:] == ["deploy", "unlock", "engine ends"]
    assert capsys.readouterr().out == "Synthesizing the stack, as its sources changed ...\n"


def test_a_github_on_loopback_needs_no_token(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the demonstration."""
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with deployed(Target()):
        pass

    assert machine.deployed["GitHubApiUrl"] == "http://127.0.0.1:9"
    assert machine.deployed["GitHubAccessToken"] == "simulated"
    assert machine.steps[0] == "engine in home/loopback"


def test_a_history_is_opened_without_a_deployment(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """What an unclean stop lost is stored again, with a line for each hundred objects."""
    with pytest.raises(CommandError) as missing, opened(Target()):
        pass
    assert (
        str(missing.value)
        == f"There is no history in {machine.home / 'home' / 'demo'} yet: no GitHub token is set, so it is the"
        " demonstration's; `traffic demo` begins it."
    )
    (machine.home / "home" / "demo").mkdir(parents=True)  # as the doctor does
    with pytest.raises(CommandError, match="There is no history"), opened(Target()):
        pass
    (machine.home / "home" / "demo" / "engine").mkdir()
    machine.lost = 200

    with opened(Target()) as deployment:
        deployment.save()

    assert machine.steps == ["engine in home/demo", "save", "engine ends"]
    assert capsys.readouterr().err.splitlines() == [
        "This is the demonstration's history, because no GitHub token is set.",
        "Restoring the table from the archive: 0 of 200 objects.",
        "Restoring the table from the archive: 100 of 200 objects.",
        "Restored the table from 200 archive objects: the engine was not stopped properly.",
    ]


@pytest.mark.parametrize("open_", [opened, deployed])
def test_the_stack_in_aws_is_opened_as_it_is(machine: Machine, monkeypatch: pytest.MonkeyPatch, open_: Any) -> None:
    """Nothing happens on this machine."""

    @contextmanager
    def aws_deployment(target: Target) -> Iterator[str]:
        assert target.aws
        yield "the stack"

    for module in ("deployment", "ready"):
        monkeypatch.setattr(f"cli.stack.{module}.aws_deployment", aws_deployment)
    with open_(Target(aws=True)) as deployment:
        assert deployment == "the stack"

    assert machine.steps == []


def test_a_replay_of_the_past_is_refused_for_the_real_github(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub has no past to ask for."""
    assert machine.home.is_dir()
    refuse_real_github()
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_1")
    with pytest.raises(UsageError) as refused:
        refuse_real_github()
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    refuse_real_github()

    assert str(refused.value) == (
        "--at replays the past and needs a GitHub on loopback, but GITHUB_API_URL is 'https://api.github.com':"
        " leave --at out, or set GITHUB_API_URL to a simulated one."
    )


@pytest.mark.parametrize(
    ("environment", "dotenv", "found"),
    [
        (None, None, "GITHUB_TOKEN is neither in the environment nor in {here}/.env nor in {fixed}/.env"),
        ("", None, "GITHUB_TOKEN is empty (environment)"),
        (" ", "GITHUB_TOKEN=x\n", "GITHUB_TOKEN is empty (environment)"),
        (None, "GITHUB_TOKEN=\n", "GITHUB_TOKEN is empty (.env)"),
    ],
)
@pytest.mark.parametrize("command", ["run", "start"])
def test_without_a_token_nothing_runs(  # noqa: PLR0913 - the parameters of the case
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    command: str,
    environment: str | None,
    dotenv: str | None,
    found: str,
) -> None:
    """Otherwise cron captures a demonstration for weeks, and the days of the real repositories are lost."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(machine.home / "config"))
    if environment is not None:
        monkeypatch.setenv("GITHUB_TOKEN", environment)
    if dotenv is not None:
        (machine.home / ".env").write_text(dotenv)

    assert main([command]) == 2

    where = found.format(here=machine.home, fixed=machine.home / "config" / "github-traffic-capture")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"traffic: error: There is no GitHub token, so nothing can be captured: {where}. Store one with"
        " `traffic token`, or see a demonstration with `traffic demo`.\n"
    )
    assert machine.steps == []


def test_the_fixed_place_is_read_wherever_a_command_is_typed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cron types its commands in the home folder or in `/`."""
    fixed = machine.home / "config" / "github-traffic-capture"
    fixed.mkdir(parents=True)
    (fixed / ".env").write_text("GITHUB_TOKEN=ghp_1\n")
    (fixed / ".env").chmod(0o600)
    (fixed / "traffic.toml").write_text('owners = ["octo"]\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(machine.home / "config"))
    monkeypatch.chdir("/")

    with deployed(Target()):
        pass

    assert (machine.deployed["GitHubAccessToken"], machine.deployed["Owners"]) == ("ghp_1", "octo")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("open_", [opened, deployed])
def test_the_files_of_the_current_folder_are_named_when_they_are_used(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], open_: Any
) -> None:
    """From cron, in another folder, the same command does not read them. Standard output stays what it was."""
    folder = machine.home / "my folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / ".env").write_text("GITHUB_TOKEN=ghp_1\n")
    (folder / ".env").chmod(0o644)
    (folder / "traffic.toml").write_text('forks = "only"\n')
    (machine.home / "home" / "api.github.com" / "engine").mkdir(parents=True)

    with open_(Target()):
        pass

    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        f"Using .env and traffic.toml of {folder}.",
        f"Other users of this machine can read the token in {folder}/.env: type `chmod 600 '{folder}/.env'`.",
    ]
    assert "ghp_1" not in printed.out + printed.err


def test_the_demonstration_of_a_user_with_a_token_is_apart_from_their_history(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands that it prints must lead to it, not to the user's own numbers."""
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_1")
    monkeypatch.setenv("TRAFFIC_OWNERS", "acme")

    with demonstration() as deployment:
        pass

    assert deployment.place == str(machine.home / "home" / "demo")
    assert deployment.before == "GITHUB_TOKEN= GITHUB_API_URL= "
    assert (machine.deployed["GitHubAccessToken"], machine.deployed["Owners"]) == ("simulated", "")
    assert capsys.readouterr().out.splitlines()[:2] == [
        "This is a demonstration against a simulated GitHub. It captures nothing of yours.",
        "",
    ]


@pytest.fixture
def complete(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose tables on disk are complete, with a row and a note."""
    monkeypatch.setattr("cli.stack.deployment.is_complete", lambda _history: True)
    monkeypatch.setenv("GITHUB_TOKEN", "real")
    history = HistoryFolder(machine.home / "home" / "api.github.com")
    history.prepare()
    item = {"repo-name": {"S": "octo/docs"}, "timestamp": {"S": "2026-11-20T00:00:00Z"}, "views-count": {"N": "5"}}
    with open_tables(history.tables) as tables:
        row = ("RepoTraffic", "octo/docs", "2026-11-20T00:00:00Z", to_text(item))
        tables.execute("INSERT INTO items VALUES (?, ?, ?, ?)", row)
    note = history.objects / ACCOUNT / f"github-traffic-archive-{ACCOUNT}-{REGION}/notes/octo/docs/2026-11-20-1.json"
    note.parent.mkdir(parents=True)
    note.write_text('{"repo_name": "octo/docs", "day": "2026-11-20", "text": "v2"}')
    return machine


@pytest.mark.parametrize(
    "command",
    [
        "show octo/docs",
        "export -f csv",
        "export --what notes -f csv",
        "report",
        "badge octo/docs",
        "chart octo/docs",
        "verify",
        "rebuild",
        "note octo/docs",
        "news",
    ],
)
def test_reading_starts_no_engine(complete: Machine, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The engine takes two seconds to start; what is read lies in files."""
    main(command.split())

    assert complete.steps == []
    assert "engine" not in capsys.readouterr().err


def test_a_damaged_file_of_tables_is_one_line_with_what_to_do(
    complete: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk or a person damaged it; the archive has everything."""
    history = HistoryFolder(complete.home / "home" / "api.github.com")
    for path in history.tables.parent.glob(f"{history.tables.name}*"):
        path.write_bytes(b"no database" * 1000)

    assert main(["show", "octo/docs"]) == 1

    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{history.tables} cannot be read (file is not a database). Move it elsewhere" in error


def test_what_needs_the_engine_starts_it_once(complete: Machine) -> None:
    """Runs, functions and secrets are the engine's."""
    complete.engine.client = lambda service: f"the engine's {service}"

    with opened(Target()) as deployment:
        assert [row.metrics[0] for row in deployment.record.days("octo/docs")] == [5]
        assert complete.steps == []
        assert deployment.client("lambda") == "the engine's lambda"
        assert (deployment.output("StateMachineArn"), dict(deployment.parameters)) == ("machine", {})
        deployment.save()
        complete.steps.append("command")

    assert complete.steps == ["engine in home/api.github.com", "save", "command", "engine ends"]


def test_tables_that_may_lack_something_are_completed_before_anything_is_read(
    complete: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that a killed engine had archived must not be missing in a report."""
    monkeypatch.setattr("cli.stack.deployment.is_complete", lambda _history: False)

    with opened(Target()):
        assert complete.steps == ["engine in home/api.github.com"]
