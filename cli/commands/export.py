"""`traffic export`: everything that is kept, for a spreadsheet or a program."""

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from cli.atomic_file import atomic_path
from cli.command import FILE, Target, command, read_day
from cli.export_formats import ENDINGS, FORMATS, chosen_format
from cli.pager import paged
from cli.relations.copies import write_relation
from cli.relations.database import Relations, open_relations
from cli.relations.relation_columns import RELATIONS
from cli.stack.deployment import opened
from cli.terminal import CommandError, UsageError

EXAMPLES = """examples:
  traffic export --format csv               to the terminal, or into a pipe
  traffic export --output traffic.parquet   into a file, in the format of its name: .csv, .json, .jsonl, .parquet,
                                            .sqlite, .db or .duckdb; the file appears only when it is complete
  traffic export -f jsonl --since yesterday   only that day and later ones
  traffic export --sources -f csv           with the tool of each number that only an import has
  traffic export --what paths -o paths.csv  something else than days: referrers, paths, totals, repositories or notes
  traffic export --what numbers -f csv      stars and forks that were imported, each with its source
  traffic export --what all -o all.duckdb   all of them as tables of one database, SQLite or DuckDB
  traffic export --what all -f csv -o out   all of them as files in a folder

columns of days, in every format: repo-name, timestamp, views-count, views-uniques, clones-count, clones-uniques,
repo-id, current-name, views-complete, clones-complete

repo-name and repo-id never change, and current-name is the name that GitHub reported last. views-complete and
clones-complete are true if GitHub reported the day after it had ended. docs/data.md has the columns of the others.
--sources adds views-count-source, views-uniques-source, clones-count-source and clones-uniques-source: the tool that a
number was imported from, if GitHub did not report it.

csv      a number that is not known is empty; a name that looks like a formula gets a ' before it
json     an array of objects; a number that is not known is left out
jsonl    one object on each line; a number that is not known is null
parquet  names are texts, timestamp is a time in UTC, the numbers are 64-bit integers or null
sqlite   the table traffic: texts, integers or null, and 1 or 0 for true or false
duckdb   the table days, with the types of parquet

Do not add up unique visitors of several days: a person who comes on two days is counted twice.
"""

ALL = "all"

DATABASES = ("sqlite", "duckdb")  # formats that hold several tables
TABLES = {("days", "sqlite"): "traffic"}  # the name of a table that differs from that of its relation


@command(EXAMPLES)
@click.option(
    "--what",
    type=click.Choice([*RELATIONS, ALL]),
    default="days",
    help=f"what to write: {', '.join(RELATIONS)} or {ALL} (default: days)",
)
@click.option("--format", "-f", "form", type=click.Choice(list(FORMATS)), help="the format (default: of FILE's name)")
@click.option("--output", "-o", type=FILE, metavar="FILE", help="where to write (default: standard output)")
@click.option("--since", type=read_day, metavar="DAY", help="only this day and later ones, as 2026-11-20")
@click.option("--sources", is_flag=True, help="with days: the tool of each number that only an import has")
def execute(
    target: Target, what: str, form: str | None, output: Path | None, since: str | None, *, sources: bool
) -> int:
    """Write every day of every repository, sorted by repository and day, or what else is kept."""
    form = chosen_format_of_all(form, output) if what == ALL else chosen_format(form, output)
    if since and what == "repositories":
        raise UsageError("--since chooses days, but --what repositories has none: leave --since out.")
    if sources and what not in ("days", ALL):
        raise UsageError(f"--sources is of days, but --what is {what}: leave one of them out.")
    with (
        opened(target) as deployment,
        open_relations(deployment.record, deployment.archive, since=since, sources=sources) as relations,
    ):
        if what == ALL and output:
            write_all(relations, form, output)
        elif output:
            with atomic_path(output, private=True) as path:
                write_relation(relations, what, form, path, table=TABLES.get((what, form)))
        else:
            path = relations.folder / what
            write_relation(relations, what, form, path)
            with paged(), path.open(encoding="utf-8", newline="") as file:
                shutil.copyfileobj(file, sys.stdout)
    return 0


def chosen_format_of_all(form: str | None, output: Path | None) -> str:
    """Return the format of `--what all`.

    Raises:
        UsageError: There is no output, or it is neither a folder nor a database, or nothing chooses a format.
    """
    if output is None:
        raise UsageError("--what all is several tables: name a folder or a database with --output, as traffic.duckdb.")
    promised = ENDINGS.get(output.suffix.lower())
    if promised in DATABASES or form in DATABASES:
        return chosen_format(form, output)
    if promised:
        raise UsageError(
            f"--output {str(output)!r} is a name for one file, but --what all writes several: name a folder, or a"
            " database such as traffic.duckdb."
        )
    if form is None:
        formats = ", ".join(each for each in FORMATS if each not in DATABASES)
        raise UsageError(f"--output {str(output)!r} is a folder: add --format with one of {formats} for its files.")
    return form


def write_all(relations: Relations, form: str, output: Path) -> None:
    """Write all relations: as tables of one database, or as files in a folder, which appear when all are complete.

    Raises:
        CommandError: They cannot be written.
    """
    if form in DATABASES:
        with atomic_path(output, private=True) as path:
            for name in RELATIONS:
                write_relation(relations, name, form, path)
        return
    try:
        output.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise CommandError(
            f"{str(output)!r} cannot be made ({exc.strerror}): give --output a folder in a folder of yours."
        ) from exc
    with ExitStack() as files:
        for name in RELATIONS:
            path = files.enter_context(atomic_path(output / f"{name}.{form}", private=True))
            write_relation(relations, name, form, path)
