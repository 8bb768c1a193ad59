"""`traffic sql`: answers a question in SQL about everything that is kept."""

import sys
from difflib import get_close_matches
from pathlib import Path

import click

from cli.command import FILE, Target, command
from cli.export_formats import FILES, TEXT, Cell, Sheet, chosen_format, write
from cli.pager import paged
from cli.sql.prepared import PREPARED, description, prepared_question
from cli.sql.views import VIEWS
from cli.stack.deployment import opened
from cli.terminal import UsageError, table

COLUMNS = "\n".join(f"  {view}: {', '.join(columns)}" for view, columns in VIEWS.items())

EXAMPLES = f"""examples:
  traffic sql "SELECT day, views_count FROM days WHERE current_name = 'octo/docs' ORDER BY day"
  traffic sql --list                         the prepared questions
  traffic sql growth-by-owner                asks one of them
  traffic sql --list growth-by-owner         shows its SQL, to begin with
  traffic sql growth-by-owner -o growth.csv  into a file, in the format of its name, as `traffic export` does
  traffic sql growth-by-owner --aws          asks the archive in AWS, by Athena; costs what AWS charges for it

views and their columns; docs/sql.md describes them:
{COLUMNS}

A question is one SELECT statement, which may begin with WITH. It reads the views days, repositories, referrers, paths,
totals, numbers (stars and forks) and runs, and nothing else. On this machine DuckDB answers it, in AWS Athena: most
questions are the same for both.

Do not add up unique visitors of several days: a person who comes on two days is counted twice.
"""  # noqa: S608  # examples


@command(EXAMPLES)
@click.argument("question", required=False, metavar="QUESTION")
@click.option("--list", "listed", is_flag=True, help="list the prepared questions, or show the SQL of one")
@click.option("--format", "-f", "form", type=click.Choice([*TEXT, *FILES]), help="the format, instead of a table")
@click.option("--output", "-o", type=FILE, metavar="FILE", help="where to write (default: standard output)")
def execute(target: Target, question: str | None, form: str | None, output: Path | None, *, listed: bool) -> int:
    """Answer a question in SQL, or a prepared one, about everything that is kept."""
    if listed:
        show_prepared(question)
        return 0
    if question is None:
        raise UsageError("There is no question: write one in SQL, or the name of one that `traffic sql --list` shows.")
    form = chosen_format(form, output) if form or output else None
    answer(target, sql_of(question), form, output)
    return 0


def answer(target: Target, text: str, form: str | None, output: Path | None) -> None:
    """Answer a question, and write the answer."""
    # Imported here: the parser and DuckDB take longer to import than everything else.
    from cli.sql.athena_answer import answer_in_aws  # noqa: PLC0415
    from cli.sql.local_answer import answer_here  # noqa: PLC0415
    from cli.sql.question import read_question  # noqa: PLC0415

    question = read_question(text, "athena" if target.aws else "duckdb")
    answered = answer_in_aws if target.aws else answer_here
    with opened(target) as deployment, answered(deployment, question) as found:
        if form:
            write(Sheet("answer", found.columns), found.rows, form, output)
            return
        with paged():
            table(list(found.columns), ([shown(cell) for cell in row] for row in found.rows))


def shown(cell: Cell) -> Cell:
    """Write a flag as CSV has it."""
    return str(cell).lower() if isinstance(cell, bool) else cell


def sql_of(question: str) -> str:
    """Return the text of a question: a single word is the name of a prepared one.

    Raises:
        UsageError: There is no such prepared question.
    """
    if len(question.split()) != 1:
        return question
    return known(question)


def known(name: str) -> str:
    """Return the text of a prepared question.

    Raises:
        UsageError: There is no such prepared question.
    """
    if name in PREPARED:
        return prepared_question(name)
    close = get_close_matches(name, PREPARED, n=1)
    hint = f"did you mean {close[0]}?" if close else "`traffic sql --list` shows them."
    raise UsageError(f"There is no prepared question {name!r}: {hint}")


def show_prepared(name: str | None) -> None:
    """List the prepared questions, or print the SQL of one."""
    if name is not None:
        sys.stdout.write(known(name))
        return
    with paged():
        table(("NAME", "QUESTION"), [(each, description(each)) for each in PREPARED])
