"""A question in SQL: parsed before it runs, so that nothing but a question can run."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import ParseError, TokenError

from cli.sql.views import VIEWS
from cli.terminal import UsageError

Dialect = Literal["duckdb", "athena"]

HOW = "write one SELECT statement, which may begin with WITH"

# What may stand behind FROM beside a view: functions that read no file and no catalog.
TABLE_FUNCTIONS = (exp.Unnest, exp.GenerateSeries, exp.Lateral, exp.Values)


@dataclass(frozen=True)
class Question:
    """One SELECT statement, or one that begins with WITH.

    Attributes:
        text: The statement, without a semicolon.
        views: The views that it uses.
    """

    text: str
    views: frozenset[str]


def read_question(text: str, dialect: Dialect) -> Question:
    """Read a question. The views' names must be of `VIEWS`, and all other names of the question's own WITH.

    Args:
        text: What a person asked.
        dialect: The database that will answer.

    Raises:
        UsageError: It is no question, several statements, or it would read something else than the views.
    """
    statement = _only_statement(text, dialect)
    changing = next(statement.find_all(exp.DML, exp.DDL, exp.Command, exp.Into), None)
    if changing or not isinstance(statement, exp.Query):
        word = changing.key.upper() if isinstance(changing, exp.Into) else _first_word(text)
        raise UsageError(f"{word} is refused, because a question only reads: {HOW}.")
    own = {each.alias_or_name.lower() for each in statement.find_all(exp.CTE)}
    if taken := sorted(own & VIEWS.keys()):
        raise UsageError(f"WITH {taken[0]} has the name of a view: choose another name.")
    tables = [each for each in statement.find_all(exp.Table) if not isinstance(each.this, TABLE_FUNCTIONS)]
    views = {_view(each, own) for each in tables}
    end = next(
        (each.start for each in sqlglot.tokenize(text, read=dialect) if each.token_type is TokenType.SEMICOLON), None
    )
    return Question(text[:end].strip(), frozenset(views - {""}))


def _only_statement(text: str, dialect: Dialect) -> exp.Expr:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns about statements that are refused here anyway
    try:
        statements = [
            each for each in sqlglot.parse(text, read=dialect) if each and not isinstance(each, exp.Semicolon)
        ]
    except TokenError as exc:
        raise UsageError("The question cannot be read: a quotation mark or the end of a comment is missing.") from exc
    except ParseError as exc:
        raise UsageError(f"The question cannot be read: {_reason(exc)}") from exc
    if len(statements) != 1:
        raise UsageError(f"{len(statements)} statements are not one question: {HOW}.")
    return statements[0]


def _reason(error: ParseError) -> str:
    """Return the first error of a parser, with its place, in one line."""
    first = error.errors[0]
    what = str(first["description"]).rstrip(".").removeprefix("Invalid expression / ")
    if "SENTINEL" in what:  # sqlglot's word for the end of the text
        what = "something is missing"
    return f"{what} at {first['highlight']!r}, line {first['line']}, column {first['col']}."


def _first_word(text: str) -> str:
    return (text.split(maxsplit=1) or [""])[0].upper()[:20]


def _view(table: exp.Table, own: Iterable[str]) -> str:
    """Return the view that a table names; empty if the question defines the name itself.

    Raises:
        UsageError: It is no view.
    """
    name = table.name.lower()
    if isinstance(table.this, exp.Identifier) and not table.db and name in own:
        return ""
    if isinstance(table.this, exp.Identifier) and not table.db and name in VIEWS:
        return name
    close = get_close_matches(name, VIEWS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"the views are {', '.join(VIEWS)}."
    raise UsageError(f"There is no view {table.sql(comments=False)!r}: {hint}")
