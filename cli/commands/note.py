"""`traffic note`: adds, lists and removes notes about a day, such as a release, for the report to show."""

import click

from cli.command import Target, command, read_any_day, read_repository
from cli.pager import paged
from cli.stack.deployment import opened
from cli.terminal import CommandError, UsageError, inform, table
from traffic.record.archive import Archive
from traffic.record.notes import Note, put_note, read_notes

EXAMPLES = """examples:
  traffic note octo/docs 2026-11-20 "v2 released"     add a note to a day
  traffic note octo/docs tomorrow "v3 planned"        today, yesterday and tomorrow are days of UTC
  traffic note octo/docs                              the notes of a repository; without a name, all of them
  traffic note octo/docs 2026-11-20 --remove          remove the notes of a day; with a text, that one alone

Notes are stored in the archive bucket under notes/. Everybody who can read this deployment sees them, and `traffic
report` shows them in its charts. Adding the same note twice adds it once.
"""

LONGEST = 200  # characters: a note is a label in a chart


@command(EXAMPLES)
@click.argument(
    "repository", required=False, type=read_repository, metavar="[REPO]", help="owner/name, owner/name~ID or the id"
)
@click.argument("day", required=False, type=read_any_day, metavar="[DAY]", help="the UTC day, as 2026-11-20 or today")
@click.argument("text", required=False, metavar="[TEXT]", help=f"what happened, at most {LONGEST} characters")
@click.option("--remove", is_flag=True, help="remove instead of add")
def execute(target: Target, repository: str | None, day: str | None, text: str | None, *, remove: bool) -> int:
    """Add, list or remove notes, such as releases, that the report shows in its charts."""
    checked = None if text is None else _checked(text)
    if day and checked is None and not remove:
        raise UsageError("A day alone says nothing: add a text to note it, or --remove.")
    if remove and not day:
        raise UsageError("--remove needs the repository and the day of the note.")
    with paged(), opened(target) as deployment:
        archive = deployment.archive
        repo_name = None if repository is None else deployment.record.repository(repository).repo_name
        if repo_name and day and remove:
            remove_notes(archive, repo_name, day, checked)
        elif repo_name and day and checked:
            add_note(archive, Note(repo_name, day, checked))
        else:
            table(("REPOSITORY", "DAY", "NOTE"), map(_row, read_notes(archive, repo_name)))
    return 0


def add_note(archive: Archive, note: Note) -> None:
    """Write a note, and print it."""
    put_note(archive, note)
    inform(f"Noted for {note.repo_name} on {note.day}: {note.text}")


def remove_notes(archive: Archive, repo_name: str, on: str, text: str | None = None) -> None:
    """Remove the notes of a day, or the one with this text; in AWS the bucket keeps the earlier version.

    Raises:
        CommandError: There is no such note.
    """
    found = [each for each in read_notes(archive, repo_name) if each.day == on and text in (None, each.text)]
    if not found:
        raise CommandError(f"There is no such note of {repo_name} on {on}: `traffic note {repo_name}` lists them.")
    for note in found:
        archive.delete(note.key)
        inform(f"Removed from {repo_name} on {on}: {note.text}")


def _checked(text: str) -> str:
    """Return a text as one line.

    Raises:
        UsageError: It is empty, too long, or not UTF-8.
    """
    try:
        typed = text.encode("utf-8", "surrogateescape").decode("utf-8")  # a locale without UTF-8 splits characters
    except UnicodeError:
        raise UsageError(f"The note {text!r} is not UTF-8: type it on a terminal whose locale is UTF-8.") from None
    line = " ".join(typed.split())
    if not 0 < len(line) <= LONGEST:
        raise UsageError(f"A note has 1 to {LONGEST} characters; this one has {len(line)}.")
    return line


def _row(note: Note) -> tuple[str, str, str]:
    return note.repo_name, note.day, note.text
