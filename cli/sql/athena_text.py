"""The text that Athena gets: a question after the views that it uses, which read the archive."""

from pathlib import Path

import sqlglot
from sqlglot import TokenType, exp

from cli.sql.question import Question

VIEWS_FOLDER = Path(__file__).with_name("views")


def athena_text(question: Question) -> str:
    """Return a question with its views before it, in its own WITH."""
    views = ", ".join(f"{name} AS (\n{text})" for name, text in _needed(question.views).items())
    if not views:
        return question.text
    first, *others = sqlglot.tokenize(question.text, read="athena")
    if first.token_type is not TokenType.WITH:
        return f"WITH {views}\n{question.text}"
    recursive = others[0].token_type is TokenType.RECURSIVE
    end = others[0].end if recursive else first.end
    return f"WITH {'RECURSIVE ' if recursive else ''}{views},{question.text[end + 1 :]}"


def _needed(views: frozenset[str]) -> dict[str, str]:
    """Return the texts of views, each after those that it uses."""
    needed: dict[str, str] = {}

    def add(name: str) -> None:
        path = VIEWS_FOLDER / f"{name}.sql"
        if name not in needed and path.exists():  # otherwise it is a table of Glue, or a name of the text's own
            text = path.read_text(encoding="utf-8")
            for used in sqlglot.parse_one(text, read="athena").find_all(exp.Table):
                add(used.name)
            needed[name] = text

    for view in sorted(views):
        add(view)
    return needed
