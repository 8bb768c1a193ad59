"""The prepared questions: files of SQL that mean the same on this machine and in AWS."""

from pathlib import Path

FOLDER = Path(__file__).with_name("questions")

PREPARED = sorted(path.stem for path in FOLDER.glob("*.sql"))


def prepared_question(name: str) -> str:
    """Return the text of a prepared question."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def description(name: str) -> str:
    """Return the first line of a prepared question: what it asks.

    It is not a comment that begins with `--`, because a shell would then give the SQL to the command as an option.
    """
    return prepared_question(name).splitlines()[0].strip("/* ")
