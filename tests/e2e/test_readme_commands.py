"""Promise: what the documents show is what happens. Their commands are run, and what they print is compared."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from boto3.dynamodb.types import TypeDeserializer

from local.engine import ROOT, Engine, running_engine
from simulated_github import SimulatedGitHub
from simulated_github.faults import no_push_access
from tests.documents import ALL, commands, examples
from tests.e2e.commands import Terminal
from tests.e2e.deployers import TemplateDeployer, aws_settings
from tests.integration.aws_command import run_aws_command
from tests.integration.first_version import put_rows
from traffic.settings import FILE_SETTINGS

# The commands that other tests run, by how they begin.
DEPLOYMENT = "tests/e2e/test_real_deployment.py"
ELSEWHERE = {
    "make setup": "tests/e2e/test_readme_commands.py::test_make_run_prints_what_the_documents_show",
    "make run": "tests/e2e/test_readme_commands.py::test_make_run_prints_what_the_documents_show",
    "GITHUB_API_URL=": (
        "tests/e2e/test_run_commands.py::test_a_run_against_the_simulated_github_stores_its_true_numbers"
    ),
    "npx --yes aws-cdk@2 bootstrap": f"{DEPLOYMENT}::test_a_deployed_stack_stores_the_true_numbers",
    "npx --yes aws-cdk@2 deploy": f"{DEPLOYMENT}::test_a_deployed_stack_stores_the_true_numbers",
    "npx --yes aws-cdk@2 destroy": f"{DEPLOYMENT}::test_a_destroyed_stack_leaves_the_history_and_nothing_else",
    ".venv/bin/traffic subscribe": (
        "tests/e2e/test_mail_commands.py::test_an_unconfirmed_address_fails_until_it_is_subscribed_for_good"
    ),
    ".venv/bin/traffic import --undo": (
        "tests/unit/cli/imports/test_cli_import.py::test_an_import_of_many_repositories_is_taken_back_by_one_receipt"
    ),
    ".venv/bin/traffic token": (
        "tests/unit/cli/commands/test_cli_token.py::test_the_first_token_is_stored_in_the_fixed_place"
    ),
    ".venv/bin/traffic token --owner": (
        "tests/unit/cli/commands/test_cli_token.py::test_tokens_of_several_owners_are_stored_one_by_one"
    ),
    ".venv/bin/traffic token --aws --owner": (
        "tests/unit/cli/commands/test_cli_token.py::test_one_owners_token_is_replaced_and_the_others_stay"
    ),
    ".venv/bin/traffic token --aws": f"{DEPLOYMENT}::test_one_command_rotates_the_token_and_never_shows_it",
    "gzip -dc archive/answers/": (
        "tests/unit/traffic/record/test_archive.py::test_the_documented_command_reads_the_answers"
    ),
    "gzip -dc archive/listings/": (
        "tests/unit/lambdas/list_repos/test_listed_pages.py::test_the_documented_command_reads_the_listings"
    ),
}
TYPED = [each for each in commands() if not each.startswith(tuple(ELSEWHERE)) and "|" not in each]

# The commands that run until they are stopped, and what they print first.
ENDLESS = {".venv/bin/traffic start": "Running", ".venv/bin/python -m simulated_github --port 8080": "Simulated GitHub"}
IN_AWS = [each for each in TYPED if "--aws" in each or each.startswith("aws ")]
HERE = [each for each in TYPED if each not in IN_AWS and each not in ENDLESS]

# Far enough apart for GitHub's 14 days, and long enough ago for eight weeks of what is usual.
EARLIER = ("2026-09-18", "2026-10-01", "2026-10-14", "2026-10-27", "2026-11-09")

LONGEST = 300.0  # seconds that a command may take; the first one synthesizes the stack

# Texts that differ in every run: names of executions, days, and the folder of the history.
CHANGING = (
    (re.compile(r"[a-z]+-\d{8}T\d{6}Z-[0-9a-f]{4}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "DAY"),
    (re.compile(r"(History: +)\S+/"), r"\1HOME/"),
)

# Numbers that depend on today's date, because the demonstration captures up to yesterday.
NEW_DAYS = re.compile(r"\d+ days new or changed")  # depends on the time of day, too
NEWS = re.compile(r"\w+day DAY, the newest complete day:\n.*?(?=^\.\.\.$|^Execution: RUN)", re.DOTALL | re.MULTILINE)

# Lines of progress: a slow machine prints more of them.
PROGRESS = re.compile(r"(Setting up|Synthesizing|Simulating|listing repositories|\d+ of \d+ repositories captured$).*")


# A line of `...` in a document stands for any number of lines.
OMITTED = "..."


def shown(command: str) -> list[str]:
    """Return each output that the documents show of a command."""
    found: list[str] = re.findall(rf"```console\n\$ {re.escape(command)}\n(.*?)```", ALL, re.DOTALL)
    assert found, command
    return found


def block(kind: str) -> str:
    """Return the code block that has this word behind its language."""
    (found,) = re.findall(rf"```\w+ {kind}\n(.*?)```", ALL, re.DOTALL)
    assert isinstance(found, str)
    return found


def agrees(printed: str, document: str) -> bool:
    """Return whether an output is the one that a document shows, except for the lines that the document omits."""
    parts = re.split(rf"^{re.escape(OMITTED)}\n", document, flags=re.MULTILINE)
    return bool(re.fullmatch(".*?".join(re.escape(part) for part in parts), printed, re.DOTALL))


def normalized(text: str) -> str:
    """Return an output without the texts and lines that differ in every run."""
    lines = [line.rstrip() for line in text.strip().splitlines() if not PROGRESS.fullmatch(line)]
    text = "\n".join(lines)
    for pattern, name in CHANGING:
        text = pattern.sub(name, text)
    return text


def shell(command: str, settings: Mapping[str, str], folder: Path = ROOT) -> str:
    """Run a command as a reader would, and return what it prints.

    Args:
        command: The command.
        settings: Variables of the environment. The developer's own settings are left out: empty values hide `.env`
            and `traffic.toml`, and the variables of an outer make would change what this one prints.
        folder: Where the command is typed.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    unset = {name: "" for name in os.environ if name.startswith(("GITHUB_", "TRAFFIC_"))}
    files = {"GITHUB_TOKEN": "", **{each.variable: "" for each in FILE_SETTINGS if each.local}}
    environment = {**inherited, **unset, **files, **settings}
    ran = subprocess.run(  # noqa: S602 - the documents' own commands, pipes and all
        command,
        shell=True,
        executable=shutil.which("bash"),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@dataclass(frozen=True)
class Example:
    """The history that the documents' examples are taken from.

    Attributes:
        settings: The variables of the environment with which `traffic` finds the history.
        printed: The output of the last run.
        github: The simulated GitHub, which refuses one repository.
    """

    settings: Mapping[str, str]
    printed: str
    github: SimulatedGitHub


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Capture three repositories up to 20 November 2026, when one is refused: the numbers are the same everywhere."""
    home = tmp_path_factory.mktemp("example")
    with SimulatedGitHub(repositories=3, seed=1) as github:
        settings = {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": "x", "TRAFFIC_HOME": str(home)}
        with running_engine(home / "loopback"):  # all runs use this engine, instead of starting one each
            for day in EARLIER:
                github.at(f"{day}T09:00:00Z")
                shell(".venv/bin/traffic run", settings)
        github.at("2026-11-20T09:00:00Z")
        github.refuse("octo/website", no_push_access())
        yield Example(settings, shell(".venv/bin/traffic run", settings), github)


def test_make_run_prints_what_the_documents_show(tmp_path: Path) -> None:
    """If the output of the first command differs, readers do not trust the rest."""
    printed = normalized(shell("make run", {"TRAFFIC_HOME": str(tmp_path)}))
    assert NEWS.search(printed)
    printed = NEW_DAYS.sub("DAYS", NEWS.sub("NEWS\n", printed))

    for document in shown("make run"):
        assert agrees(printed, NEW_DAYS.sub("DAYS", NEWS.sub("NEWS\n", normalized(document))))


def test_the_summary_shown_is_the_one_that_is_sent(example: Example) -> None:
    """Readers decide by the summary whether this program is useful for them."""
    summary = block("summary")

    assert normalized(summary) in normalized(example.printed)


def test_the_item_shown_is_in_the_table(example: Example) -> None:
    """Users who query the table depend on these names and types."""
    shown = json.loads(block("item"))
    with running_engine(Path(example.settings["TRAFFIC_HOME"]) / "loopback") as engine:
        key = {name: {"S": shown[name]} for name in ("repo-name", "timestamp")}
        item = engine.client("dynamodb").get_item(TableName="RepoTraffic", Key=key)["Item"]

    read = TypeDeserializer().deserialize
    assert {name: read(value) for name, value in item.items()} == shown


@pytest.mark.parametrize("command", re.findall(r"```console\n\$ (\.venv/bin/traffic .+)\n", ALL))
def test_a_command_prints_what_the_documents_show(command: str, example: Example) -> None:
    """Readers compare the output, and a difference looks like their own mistake."""
    printed = shell(command, example.settings)

    # Editors take blanks from the ends of lines, so an empty last column may be missing in a document.
    (document,) = shown(command)
    assert [line.rstrip() for line in printed.splitlines()] == [line.rstrip() for line in document.splitlines()]


@pytest.mark.parametrize(("command", "test"), ELSEWHERE.items())
def test_a_command_that_is_not_run_here_is_shown_and_has_a_test(command: str, test: str) -> None:
    """Otherwise a command that is gone, or that no test runs, would stay in this list."""
    path, _, name = test.partition("::")

    assert any(each.startswith(command) for each in commands())
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the documents' commands work, with files of other tools to import."""
    made = tmp_path_factory.mktemp("folder")
    (made / ".venv").symlink_to(ROOT / ".venv")
    aggregate = "time_iso8601,clones_total,clones_unique,views_total,views_unique\n2024-03-01 00:00:00+00:00,0,0,7,3\n"
    for name, text in {
        "ghrs-data/views_clones_aggregate.csv": aggregate,
        "ghrs-data/stargazers.csv": "time_iso8601,stars_cumulative\n2024-03-01 00:00:00+00:00,4\n",
        "traffic/views.csv": "_date,total_views,unique_views\n2024-03-01,0,0\n2024-03-02,8,2\n",
        "traffic/clones.csv": "_date,total_clones,unique_clones\n2024-03-02,3,1\n",
    }.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text, encoding="utf-8")
    return made


@pytest.mark.parametrize("command", HERE)
def test_a_command_of_the_documents_works_on_this_machine(command: str, example: Example, folder: Path) -> None:
    """A command that fails for a reader ends their trust in all others."""
    if command.startswith(("git clone", "cd ")):
        if not (ROOT / ".git").exists():
            pytest.skip("this copy of the project is no repository")
        command = command.replace("URL-OF-THIS-REPOSITORY", str(ROOT))
    example.github.clear_faults()  # the doctor fails for a refused repository

    shell(command, example.settings, folder)


@pytest.mark.parametrize(("command", "first"), ENDLESS.items())
def test_a_command_of_the_documents_runs_until_it_is_stopped(
    command: str, first: str, example: Example, folder: Path
) -> None:
    """It prints that it works, and goes on until it is stopped."""
    assert command in TYPED
    with subprocess.Popen(  # noqa: S603 - the documents' own command
        command.split(),
        cwd=folder,
        env={**os.environ, **example.settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert any(line.startswith(first) for line in process.stdout)
        finally:
            process.terminate()  # not Ctrl-C, which a shell's background jobs ignore


@dataclass(frozen=True)
class Account:
    """A stack in a supposed AWS account, and a terminal beside it."""

    engine: Engine
    terminal: Terminal


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Deploy the stack, over a row of the first version."""
    folder = tmp_path_factory.mktemp("account")
    with (
        running_engine(folder / "history") as engine,
        SimulatedGitHub(repositories=["octo/docs", "octo-org/api", "acme/shared-docs"]) as github,
    ):
        for name in github.names:
            github.change(name, topics=["documentation"])
        TemplateDeployer(engine).deploy({"GitHubAccessToken": "x", "GitHubApiUrl": github.url}, kept={})
        put_rows(engine, "docs", {"2024-02-28": (9, 4, 0, 0)})
        (folder / "traffic.toml").write_text(examples("toml")[0], encoding="utf-8")
        (folder / ".venv").symlink_to(ROOT / ".venv")
        yield Account(engine, Terminal(folder, aws_settings(engine)))


@pytest.mark.parametrize("command", IN_AWS)
def test_a_command_of_the_documents_works_on_the_stack(command: str, account: Account) -> None:
    """The stack is the one in AWS for the commands: only the address of AWS is another."""
    if command.startswith("aws "):
        run_aws_command(account.engine, command)
        return
    words = command.split()[1:]

    done = account.terminal.traffic(*words)

    assert done.returncode == 0, done.stdout + done.stderr
