"""`traffic import`: imports the history that other tools kept."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from cli.command import FILE, Target, command, read_repository
from cli.imports.first_version_rows import read_first_version
from cli.imports.importing import ImportPlan, bring, identify, plan
from cli.imports.tool_files import FORMATS
from cli.imports.tool_history import ToolHistory
from cli.settings.local_settings import local_settings
from cli.stack.deployment import Deployment
from cli.stack.opening import opened
from cli.stack.token_access import github_with
from cli.terminal import UsageError, inform, say, table, unread_too
from traffic.github.tokens import token_owner, tokens_in
from traffic.record.reading import Record
from traffic.wording import repositories

FIRST_VERSION = "first-version"
TOOLS = (*FORMATS, FIRST_VERSION)

EXAMPLES = """examples:
  traffic import github-repo-stats ghrs-data --repository octo/docs --dry-run
  traffic import repository-traffic-action traffic/views.csv traffic/clones.csv --repository octo/docs
  traffic import first-version --owner octo --owner website=octo-labs --aws

Days are merged like GitHub's own answers: for each day and number the highest value is kept, a number that the other
tool does not have stays unknown, and a second import changes nothing. The archive keeps the imported history below
imports/, so `traffic rebuild` restores it. The rows of the first version stay unchanged; their days are merged into
owner/name. Some tools write a zero also if GitHub did not report the day. Such zeros are left out, and counted.
"""

HEADINGS = ("REPOSITORY", "ID", "DAYS", "FIRST", "LAST", "NEW DAYS", "CELLS RAISED", "KEPT HIGHER", "SAME", "SNAPSHOTS")


@command(EXAMPLES)
@click.argument("tool", type=click.Choice(TOOLS), metavar="TOOL", help=f"what kept the history: {', '.join(TOOLS)}")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...", help="its files, or the folder that holds them")
@click.option("--repository", type=read_repository, metavar="OWNER/NAME", help="the repository that the files concern")
@click.option(
    "--owner",
    "owners",
    multiple=True,
    metavar="[NAME=]OWNER",
    help="the owner of the first version's repositories: of all of them, or of the one named",
)
@click.option("--dry-run", is_flag=True, help="show what would change, and change nothing")
def execute(
    target: Target, tool: str, paths: Sequence[Path], repository: str | None, owners: Sequence[str], *, dry_run: bool
) -> int:
    """Import the history that another tool kept."""
    check(tool, paths, repository, owners)
    history = FORMATS[tool](paths) if tool in FORMATS else None
    with opened(target) as deployment:
        histories = {repository: history} if history and repository else of_first_version(deployment, owners)
        plans = list(planned(deployment.record, histories))
        with unread_too():
            table(HEADINGS, map(row, plans))
        zeros = sum(each.history.zeros for each in plans)
        if zeros:
            say(f"{zeros} zeros were left out: that tool writes a zero also if GitHub did not report the day.")
        if dry_run:
            say("Nothing was changed: this was a dry run.")
            return 0
        for each in plans:
            bring(deployment.archive, deployment.store, each)
        deployment.save()
    inform(f"Imported {repositories(len(plans))}.")
    return 0


def check(tool: str, paths: Sequence[Path], repository: str | None, owners: Sequence[str]) -> None:
    """Refuse options that cannot be combined.

    Raises:
        UsageError: The options cannot be combined, or one is missing.
    """
    if tool == FIRST_VERSION:
        if paths or repository:
            raise UsageError("first-version reads the deployed table: leave PATH and --repository out.")
        return
    if owners:
        raise UsageError("--owner is for first-version only: use --repository OWNER/NAME.")
    if not paths:
        raise UsageError(f"Which files of {tool}? Add their paths, or the folder that holds them.")
    owner, slash, name = (repository or "").partition("/")
    if not (owner and slash and name) or "/" in name:
        raise UsageError(f"--repository is {repository!r}, expected OWNER/NAME: the files do not contain it.")


def of_first_version(deployment: Deployment, given: Sequence[str]) -> Mapping[str, ToolHistory]:
    """Read the first version's rows, and add the given owners.

    Raises:
        UsageError: There are two owners for all repositories, or one is incomplete.
        CommandError: Owners are missing, or there are no such rows.
    """
    named = [each.partition("=") for each in given]
    for_all = [each for each in given if "=" not in each]
    if len(for_all) > 1 or not all(owner and name for name, equals, owner in named if equals) or "" in for_all:
        raise UsageError(
            f"--owner is {' and '.join(map(repr, given))}, expected OWNER once, and NAME=OWNER for each other."
        )
    owners = {name: owner for name, equals, owner in named if equals}
    owner = for_all[0] if for_all else None
    return read_first_version(deployment.record.traffic, owners, owner, place=deployment.place)


def planned(record: Record, histories: Mapping[str, ToolHistory]) -> Iterator[ImportPlan]:
    """Plan each repository's import."""
    settings = local_settings()
    tokens = tokens_in(settings.token) if settings.token else {}
    for name, history in histories.items():
        owner = token_owner(name, tokens)
        github = github_with(settings.api_url, tokens[owner]) if owner else None
        yield plan(record, identify(record, name, github), history)


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
        len(planned_.history.snapshots),
    )
