"""Promise: what the documents show is what happens. Their commands are run, and what they print is compared."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from boto3.dynamodb.types import TypeDeserializer

from local.engine import ROOT, running_engine
from simulated_github import SimulatedGitHub
from simulated_github.faults import no_push_access
from tests.documents import ALL
from traffic.settings import STACK_SETTINGS

# Far enough apart for GitHub's 14 days, and long enough ago for eight weeks of what is usual.
EARLIER = ("2026-09-18", "2026-10-01", "2026-10-14", "2026-10-27", "2026-11-09")

LONGEST = 300.0  # seconds that a command may take; the first one synthesizes the stack

# What no two runs share: names of executions, days, and the folder of the history.
CHANGING = (
    (re.compile(r"[a-z]+-\d{8}T\d{6}Z-[0-9a-f]{4}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "DAY"),
    (re.compile(r"(History: +)\S+/"), r"\1HOME/"),
)

# What the demonstration's GitHub, whose day is today, counted yesterday.
NEW_DAYS = re.compile(r"\d+ days new or changed")  # GitHub shows yesterday from some hour on
NEWS = re.compile(r"\w+day DAY, the newest whole day:\n.*?(?=^\.\.\.$|^Execution: RUN)", re.DOTALL | re.MULTILINE)

# What tells of progress: how much of it is seen depends on the machine's pace.
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
    parts = re.split(rf"^{re.escape(OMITTED)}$", document, flags=re.MULTILINE)
    return bool(re.fullmatch(".*?".join(re.escape(part) for part in parts), printed, re.DOTALL))


def normalized(text: str) -> str:
    """Leave what every run prints alike."""
    lines = [line.rstrip() for line in text.strip().splitlines() if not PROGRESS.fullmatch(line)]
    whole = "\n".join(lines)
    for pattern, name in CHANGING:
        whole = pattern.sub(name, whole)
    return whole


def shell(command: str, settings: Mapping[str, str]) -> str:
    """Run a command as a reader would, in the project's folder.

    Empty settings keep a developer's `.env` and `traffic.toml` out; those of an outer make would have this one name
    its folders.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    unset = {name: "" for name in os.environ if name.startswith(("GITHUB_", "TRAFFIC_"))}
    files = {"GITHUB_TOKEN": "", **{each.name: "" for each in STACK_SETTINGS if each.name}}
    environment = {**inherited, **unset, **files, **settings}
    ran = subprocess.run(  # noqa: S602 - the README's own commands, pipes and all
        command,
        shell=True,
        cwd=ROOT,
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
        settings: What leads `traffic` to it.
        printed: What the run printed.
    """

    settings: Mapping[str, str]
    printed: str


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Capture three repositories up to 20 November 2026, when one refuses: the same numbers on every machine."""
    home = tmp_path_factory.mktemp("example")
    with SimulatedGitHub(repositories=3, seed=1) as github:
        settings = {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": "x", "TRAFFIC_HOME": str(home)}
        with running_engine(home / "loopback"):  # the commands attach to it, which saves its start five times
            for day in EARLIER:
                github.at(f"{day}T09:00:00Z")
                shell(".venv/bin/traffic run", settings)
        github.at("2026-11-20T09:00:00Z")
        github.refuse("octo/website", no_push_access())
        yield Example(settings, shell(".venv/bin/traffic run", settings))


def test_make_run_prints_what_the_documents_show(tmp_path: Path) -> None:
    """The first command a reader types has to look as promised, or nothing else is believed."""
    printed = normalized(shell("make run", {"TRAFFIC_HOME": str(tmp_path)}))
    assert NEWS.search(printed)
    printed = NEW_DAYS.sub("DAYS", NEWS.sub("NEWS\n", printed))

    for document in shown("make run"):
        assert agrees(printed, NEW_DAYS.sub("DAYS", NEWS.sub("NEWS\n", normalized(document))))


def test_the_summary_shown_is_the_one_that_is_sent(example: Example) -> None:
    """Readers decide by it whether this tells them enough."""
    summary = block("summary")

    assert normalized(summary) in normalized(example.printed)


def test_the_item_shown_lies_in_the_table(example: Example) -> None:
    """Whoever queries the table builds on these names and types."""
    shown = json.loads(block("item"))
    with running_engine(Path(example.settings["TRAFFIC_HOME"]) / "loopback") as engine:
        key = {name: {"S": shown[name]} for name in ("repo-name", "timestamp")}
        item = engine.client("dynamodb").get_item(TableName="RepoTraffic", Key=key)["Item"]

    read = TypeDeserializer().deserialize
    assert {name: read(value) for name, value in item.items()} == shown


@pytest.mark.parametrize("command", re.findall(r"```console\n\$ (\.venv/bin/traffic .+)\n", ALL))
def test_a_command_prints_what_the_documents_show(command: str, example: Example) -> None:
    """A reader compares; a column that moved sends them searching for their mistake."""
    printed = shell(command, example.settings)

    # Editors take blanks from the ends of lines, so an empty last column may be missing in a document.
    (document,) = shown(command)
    assert [line.rstrip() for line in printed.splitlines()] == [line.rstrip() for line in document.splitlines()]
