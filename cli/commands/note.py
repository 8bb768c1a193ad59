"""`traffic note`: what a person knows of a day, a release for instance, for the report to show.

Notes are objects of the archive bucket, under `notes/`. There they outlive stack and laptop's engine as the answers
do, everybody who may read the deployment sees them, two people who add at once cannot overwrite each other, and
versioning brings a removed one back. `traffic verify` and `rebuild` read `answers/` and `imports/` alone, so notes do
not disturb them.
"""

import json
from collections.abc import Iterable

import click

from cli.arguments import Target, read_day
from cli.command import command
from cli.commands.show import days_of
from cli.stack.deployment import Deployment
from cli.stack.opening import opened
from cli.stack.repositories import close_names, find_repository
from cli.terminal import CommandError, UsageError, say, table
from traffic.record.notes import NOTES, Note, put_note

EXAMPLES = """examples:
  traffic note octo/docs 2026-11-20 "v2 released"     add a note to a day
  traffic note octo/docs                              the notes of a repository; without a name, all of them
  traffic note octo/docs 2026-11-20 --remove          remove the notes of a day; with a text, that one alone

Notes lie in the archive bucket under notes/; everybody who reads this deployment sees them, and `traffic report` shows
them in its charts. The same note twice is one.
"""

LONGEST = 200  # characters: a note is a label in a chart


@command(EXAMPLES)
@click.argument("repository", required=False, metavar="[REPO]", help="owner/name, owner/name~ID or the id")
@click.argument("day", required=False, type=read_day, metavar="[DAY]", help="the day, as 2026-11-20")
@click.argument("text", required=False, metavar="[TEXT]", help=f"what happened, at most {LONGEST} characters")
@click.option("--remove", is_flag=True, help="remove instead of add")
def execute(target: Target, repository: str | None, day: str | None, text: str | None, *, remove: bool) -> int:
    """Add, list or remove notes, such as releases, that the report shows in its charts."""
    checked = None if text is None else _checked(text)
    if day and checked is None and not remove:
        raise UsageError("A day alone says nothing: add a text to note it, or --remove.")
    if remove and not day:
        raise UsageError("--remove needs the repository and the day of the note.")
    with opened(target) as deployment:
        repo_name = None if repository is None else key_of(deployment, repository)
        if repo_name and day and remove:
            remove_notes(deployment, repo_name, day, checked)
        elif repo_name and day and checked:
            add_note(deployment, Note(repo_name, day, checked))
        else:
            table(("REPOSITORY", "DAY", "NOTE"), map(_row, read_notes(deployment, repo_name)))
    return 0


def add_note(deployment: Deployment, note: Note) -> None:
    """Write a note, and say so."""
    put_note(deployment.archive, note)
    say(f"Noted for {note.repo_name} on {note.day}: {note.text}")


def remove_notes(deployment: Deployment, repo_name: str, on: str, text: str | None = None) -> None:
    """Remove a day's notes, or the one with this text; in AWS the bucket keeps the earlier version.

    Raises:
        CommandError: There is no such note.
    """
    found = [each for each in read_notes(deployment, repo_name) if each.day == on and text in (None, each.text)]
    if not found:
        raise CommandError(f"There is no such note of {repo_name} on {on}: `traffic note {repo_name}` lists them.")
    for note in found:
        deployment.client("s3").delete_object(Bucket=deployment.output("ArchiveBucket"), Key=note.key)
        say(f"Removed from {repo_name} on {on}: {note.text}")


def read_notes(deployment: Deployment, repo_name: str | None = None) -> list[Note]:
    """Read the notes of a repository, or all of them, in order of repository and day.

    Raises:
        CommandError: An object under `notes/` is no note.
    """
    client, bucket = deployment.client("s3"), deployment.output("ArchiveBucket")
    prefix = NOTES if repo_name is None else f"{NOTES}{repo_name}/"
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys: Iterable[str] = (found["Key"] for page in pages for found in page.get("Contents", []))
    return sorted(_read(key, client.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys)


def key_of(deployment: Deployment, asked: str) -> str:
    """Find the key of a repository's rows by any of its names, or its id.

    Raises:
        CommandError: Nothing is kept under this name.
    """
    found = find_repository(deployment, asked)
    if found:
        return found.repo_name
    if next(days_of(deployment, asked), None):
        return asked  # rows of the first version: their name alone leads to them
    close = " or ".join(close_names(deployment, asked))
    hint = f"did you mean {close}?" if close else "expected owner/name or an id of a captured repository."
    raise CommandError(f"Nothing is kept of a repository {asked!r}: {hint}")


def _read(key: str, content: bytes) -> Note:
    try:
        note = Note(**json.loads(content))
        read_day(note.day)
    except (ValueError, TypeError, click.BadParameter) as exc:
        raise CommandError(f"{key} in the archive bucket is no note ({exc}): remove it.") from exc
    return note


def _checked(text: str) -> str:
    """Bring a text onto one line.

    Raises:
        UsageError: It is empty or too long.
    """
    line = " ".join(text.split())
    if not 0 < len(line) <= LONGEST:
        raise UsageError(f"A note has 1 to {LONGEST} characters; this one has {len(line)}.")
    return line


def _row(note: Note) -> tuple[str, str, str]:
    return note.repo_name, note.day, note.text
