"""`traffic import`: imports the history that other tools kept."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from cli.command import Target, command
from cli.imports.csv_files import ACTION, COLUMN_NAMES
from cli.imports.first_version_rows import read_first_version
from cli.imports.github_repo_stats import STATS
from cli.imports.importing import ImportPlan, ImportTarget, bring, identify, plan
from cli.imports.naming import GivenNames, is_full_name, name_parts, read_given
from cli.imports.recognizing import TOOLS, Findings, Part, Refusal, find
from cli.imports.taking_back import imports_of, receipt_at, receipt_of, take_back
from cli.imports.tool_history import ToolHistory
from cli.settings.local_settings import local_settings
from cli.stack.deployment import Deployment, opened
from cli.stack.token_access import github_with
from cli.terminal import CommandError, UsageError, inform, progress, say, table, unread_too, warn
from traffic.contract import ENDPOINTS, RUNNING_NUMBERS
from traffic.github.tokens import token_owner, tokens_in
from traffic.record.reading import Record
from traffic.wording import counted, repositories

FIRST_VERSION = "first-version"
WORDS = (STATS, ACTION, FIRST_VERSION)  # tools that may be named before the paths, as earlier versions wanted

EXAMPLES = """examples:
  traffic import data-repository --dry-run                          finds out what is in it, and shows what would change
  traffic import ghrs-data --repository octo/docs
  traffic import traffic/views.csv traffic/clones.csv --repository octo/docs
  traffic import all.csv --columns day=when,repository=project,views=hits --owner octo
  traffic import first-version --owner octo --owner website=octo-labs --aws

A folder can hold the files of many repositories. The names of files and folders, or a column, tell which repository
each file belongs to; --repository and --owner tell what they leave open. If a file cannot be read, or nothing tells its
repository, nothing is imported, unless --skip-refused is given.

Days are merged like GitHub's own answers: for each day and number the highest value is kept, a number that the other
tool does not have stays unknown, and a second import changes nothing. The archive keeps the imported history below
imports/, so `traffic rebuild` restores it. The rows of the first version stay unchanged; their days are merged into
owner/name. What is no measurement is left out, and counted: zeros of tools that write a zero also if GitHub did not
report the day, uniques of 0 beside visits, months.
"""

HEADINGS = (
    "REPOSITORY",
    "ID",
    "DAYS",
    "FIRST",
    "LAST",
    "NEW DAYS",
    "CELLS RAISED",
    "KEPT HIGHER",
    "SAME",
    "SNAPSHOTS",
    "STARS",
    "FORKS",
)


@dataclass(frozen=True)
class Options:
    """How a command that imports was typed.

    Attributes:
        tool: The tool that wrote the files; None to find it out.
        paths: Files and folders.
        given: The repositories and owners that the options name.
        columns: The meanings of columns, by their names in the files.
    """

    tool: str | None
    paths: Sequence[Path]
    given: GivenNames
    columns: Mapping[str, str]


@command(EXAMPLES)
@click.argument("words", nargs=-1, type=click.Path(readable=False), metavar="[PATH]...")
@click.option("--as", "tool", type=click.Choice((*TOOLS, FIRST_VERSION)), help="what wrote the files")
@click.option(
    "--repository",
    "named",
    multiple=True,
    metavar="[PATH=]OWNER/NAME",
    help="the repository that the files concern: all of them, or those of one path",
)
@click.option(
    "--owner",
    "owners",
    multiple=True,
    metavar="[NAME=]OWNER",
    help="the owner of repositories whose files name no owner: of all of them, or of the one named",
)
@click.option(
    "--columns", metavar="MEANING=COLUMN,...", help=f"what the columns of CSV files are: {', '.join(COLUMN_NAMES)}"
)
@click.option("--skip-refused", is_flag=True, help="import what can be imported, and leave out what is refused")
@click.option("--undo", metavar="RECEIPT", help="take an import back, by what it printed or by its key in the archive")
@click.option("--dry-run", is_flag=True, help="show what would change, and change nothing")
@click.option("--json", "as_json", is_flag=True, help="show what would change, or what changed, as JSON")
def execute(
    target: Target,
    *,
    words: Sequence[str],
    tool: str | None,
    named: Sequence[str],
    owners: Sequence[str],
    columns: str | None,
    undo: str | None,
    skip_refused: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Import the histories that other tools kept."""
    if undo is not None:
        if words or tool or named or owners or columns or skip_refused or dry_run or as_json:
            raise UsageError("--undo takes an import back: leave paths and other options out.")
        with opened(target) as deployment:
            return take_back(deployment, undo)
    options = read_options(words, tool, named, owners, columns)
    findings = Findings() if options.tool == FIRST_VERSION else find(options.paths, options.tool, options.columns)
    refuse(findings.refusals, skip=skip_refused)
    parts, unnamed = name_parts(findings.parts, options.given, _nobody if as_json else asking())
    refuse(unnamed, skip=skip_refused)
    with opened(target) as deployment:
        if options.tool == FIRST_VERSION:
            parts = of_first_version(deployment, options.given)
        plans, unknown = planned(deployment.record, parts)
        empty = [part.history for part in findings.parts if part.history.empty]
        left_out = sum((each.left_out for each in (*empty, *(each.history for each in plans))), Counter[str]())
        if not as_json:
            show(parts, plans, left_out)
        refuse(unknown, skip=skip_refused)
        if not plans:
            raise UsageError("There is nothing to import in these files.")
        keys = {} if dry_run else brought(deployment, plans)
    if as_json:
        say(json.dumps(as_object(plans, [*findings.refusals, *unnamed, *unknown], left_out, keys), indent=2))
    elif dry_run:
        say("Nothing was changed: this was a dry run.")
    else:
        receipt = receipt_of(next(iter(keys.values())))
        inform(f"Imported {amounts(plans)}. `traffic import --undo {receipt}{target.options}` takes it back.")
    return 0


def read_options(
    words: Sequence[str], tool: str | None, named: Sequence[str], owners: Sequence[str], columns: str | None
) -> Options:
    """Read how the command was typed; the first word can be a tool's.

    Raises:
        UsageError: The options cannot be combined, or one is missing.
    """
    if tool is None and words and words[0] in WORDS:
        tool, *words = words
        if os.path.lexists(tool):
            raise UsageError(
                f"{tool!r} is a tool's name and also a path here: type `--as {tool}` for the tool, or `./{tool}` for"
                " the path."
            )
    given = read_given(named, owners)
    if tool == FIRST_VERSION:
        if words or named or columns:
            raise UsageError("first-version reads the deployed table: leave PATH, --repository and --columns out.")
    elif not words:
        what = f"Which files of {tool}?" if tool else "Which files?"
        raise UsageError(f"{what} Add their paths, or the folder that holds them.")
    return Options(tool, [Path(word) for word in words], given, read_columns(columns))


def read_columns(text: str | None) -> dict[str, str]:
    """Read `--columns`: what the columns of CSV files mean.

    Returns:
        The meaning by column.

    Raises:
        UsageError: A meaning is unknown, or the days are missing.
    """
    pairs = [each.partition("=") for each in text.split(",")] if text else []
    for meaning, _, column in pairs:
        if meaning not in COLUMN_NAMES or not column:
            raise UsageError(
                f"--columns has {meaning!r}, expected MEANING=COLUMN with one of {', '.join(COLUMN_NAMES)}, "
                "as in day=date,views=count"
            )
    found = {column: COLUMN_NAMES[meaning] for meaning, _, column in pairs}
    metrics = [meaning for meaning in found.values() if "-" in meaning]
    if pairs and ("day" not in found.values() or not metrics or len(set(found.values())) < len(pairs)):
        raise UsageError(f"--columns is {text!r}, expected each meaning once, the day and a number among them.")
    return found


def refuse(refusals: Sequence[Refusal], *, skip: bool) -> None:
    """Print what is refused, and end the command unless it is skipped.

    Raises:
        UsageError: Something is refused.
    """
    if not refusals:
        return
    if not skip and len(refusals) == 1:
        raise UsageError(f"{refusals[0].reason} To import everything else, add --skip-refused.")
    for refusal in refusals:
        warn(f"refused: {refusal.reason}")
    if not skip:
        raise UsageError(
            f"{len(refusals)} files or repositories are refused, so nothing was imported: correct them, or add"
            " --skip-refused to import everything else."
        )


def asking() -> Callable[[Part], str]:
    """Return what asks for the repository of a part: on a terminal a question, elsewhere nobody."""
    return _asked if sys.stdin.isatty() and sys.stdout.isatty() else _nobody


def _nobody(_: Part) -> str:
    return ""


def _asked(part: Part) -> str:
    days = part.history.days
    span = f", {min(days)} to {max(days)}" if days else ""
    of = f" of {part.label}" if part.label else ""
    while True:
        name = click.prompt(
            f"{part.place}{of}: {counted(len(days), 'day', 'days')}{span}. Which repository is this (OWNER/NAME,"
            " or empty to refuse it)?",
            default="",
            show_default=False,
        )
        if not name or is_full_name(name):
            return str(name)
        say(f"{name!r} is not OWNER/NAME.")


def of_first_version(deployment: Deployment, given: GivenNames) -> list[tuple[str, Part]]:
    """Read the first version's rows, and add the given owners.

    Raises:
        CommandError: Owners are missing, or there are no such rows.
    """
    found = read_first_version(deployment.record.traffic, given.owners, given.owner, place=deployment.place)
    return [(name, Part(deployment.place, name, "--owner", history)) for name, history in found.items()]


def planned(record: Record, parts: Sequence[tuple[str, Part]]) -> tuple[list[ImportPlan], list[Refusal]]:
    """Plan each repository's import; several parts can belong to one repository.

    Returns:
        The plans by name, and the parts whose repository neither the record nor GitHub knows.
    """
    settings = local_settings()
    tokens = tokens_in(settings.token) if settings.token else {}
    histories: dict[int, ToolHistory] = {}
    targets: dict[int, ImportTarget] = {}
    refusals: list[Refusal] = []
    for name, part in parts:
        owner = token_owner(name, tokens)
        github = github_with(settings.api_url, tokens[owner]) if owner else None
        try:
            target = identify(record, name, github)
        except CommandError as exc:
            refusals.append(Refusal(part.place, f"{part.place}: {exc}"))
            continue
        targets.setdefault(target.repo_id, target)
        history = histories.setdefault(target.repo_id, ToolHistory(""))
        sources = dict.fromkeys([*filter(None, [history.source]), part.history.source])
        history.add(part.history)
        history.source = ", ".join(sources)
    plans = [plan(record, targets[id_], histories[id_]) for id_ in targets]
    return sorted(plans, key=lambda each: each.target.name), refusals


def brought(deployment: Deployment, plans: Sequence[ImportPlan]) -> dict[str, str]:
    """Import what was planned, and return the keys of the imports in the archive, by repository.

    All of one command have one time, which no import before has: it is the receipt.
    """
    record, archive = deployment.record, deployment.archive
    while imports_of(archive, receipt_at(at := datetime.now(UTC))):
        time.sleep(0.2)
    keys: dict[str, str] = {}
    for each in plans:
        keys[each.target.name] = bring(record, archive, each, f"{at:%Y-%m-%dT%H:%M:%SZ}")
        deployment.stored(keys[each.target.name])
    deployment.save()
    return keys


def show(parts: Sequence[tuple[str, Part]], plans: Sequence[ImportPlan], left_out: Counter[str]) -> None:
    """Print what each part was taken for, what would change, and what is left out."""
    for name, part in parts:
        by = f", by {part.told_by}" if name == part.label or (name.endswith(f"/{part.label}") and part.label) else ""
        progress(f"{part.place}: {part.history.source}, by {part.why}; {name}{by}")
    with unread_too():
        table(HEADINGS, map(row, plans))
    for why, times in sorted(left_out.items()):
        say(f"Left out: {why} ({times:,}).")


def as_object(
    plans: Sequence[ImportPlan], refusals: Sequence[Refusal], left_out: Counter[str], keys: Mapping[str, str]
) -> dict[str, object]:
    """Return plans and refusals for a program.

    Args:
        plans: What would change, or what changed.
        refusals: What is refused.
        left_out: What the record does not take.
        keys: The archive's keys of the imports, by repository; empty if nothing was changed.
    """
    names = [heading.lower().replace(" ", "_") for heading in HEADINGS]
    found = [
        {**dict(zip(names, row(each), strict=True)), "source": each.history.source, "files": each.history.files}
        for each in plans
    ]
    return {
        "repositories": [{**each, "import": keys.get(str(each["repository"]))} for each in found],
        "refused": [{"path": each.path, "reason": each.reason} for each in refusals],
        "left_out": dict(left_out),
    }


def amounts(plans: Sequence[ImportPlan]) -> str:
    """Return how many repositories were imported, and with how many days on which there are stars or forks."""
    running = [each.history.counted(part) for each in plans for part in RUNNING_NUMBERS]
    numbers = f" with {counted(sum(running), 'number', 'numbers')} of stars and forks" if any(running) else ""
    return f"{repositories(len(plans))}{numbers}"


def row(planned_: ImportPlan) -> tuple[object, ...]:
    """Return a plan as a row of the report."""
    days, target = planned_.history.days, planned_.target
    return (
        target.name,
        target.repo_id,
        len(days),
        min(days, default=""),
        max(days, default=""),
        planned_.added,
        planned_.raised,
        planned_.higher,
        planned_.same,
        planned_.history.counted(*ENDPOINTS),
        *(planned_.history.counted(part) for part in RUNNING_NUMBERS),
    )
