"""`traffic note` on tables and bucket as the functions leave them."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from cli import main as entry
from cli.command import Target
from cli.commands.note import add_note, remove_notes
from cli.terminal import CommandError
from tests.unit.cli_stack import Stack, fresh_stack
from traffic.errors import RecordError
from traffic.record.notes import Note, read_notes

stack = pytest.fixture(fresh_stack)

RELEASE = Note("octo/docs", "2026-11-20", "v2 released")


def test_a_note_is_read_back_and_the_same_twice_is_one(stack: Stack) -> None:
    """A script that runs again after each release must not fill the chart."""
    add_note(stack.deployment.archive, RELEASE)
    add_note(stack.deployment.archive, RELEASE)
    other = Note("octo/docs-old", "2026-11-01", "Ünïcode </script>")
    add_note(stack.deployment.archive, other)

    assert read_notes(stack.deployment.archive) == [RELEASE, other]
    assert read_notes(stack.deployment.archive, "octo/docs") == [RELEASE]


def test_a_note_is_outside_of_what_verify_and_rebuild_read(stack: Stack) -> None:
    """GitHub's answers are the record; a person's words beside them must not disturb it."""
    add_note(stack.deployment.archive, RELEASE)

    assert stack.deployment.archive.stored_keys() == []


def test_a_note_is_kept_under_the_key_that_no_rename_changes(stack: Stack) -> None:
    """Who notes by today's name and who noted by last year's mean the same repository."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/manual": "2026-11-20"})
    stack.day("docs", "2024-01-01", {"views-count": 3})

    find = stack.deployment.record.repository
    assert find("Octo/Manual").repo_name == find("7").repo_name == "octo/docs"
    assert find("docs").repo_name == "docs"
    with pytest.raises(RecordError, match="did you mean octo/manual"):
        find("octo/manul")


def test_a_days_notes_or_one_of_them_can_be_removed(stack: Stack) -> None:
    """A slip must not stand in every report from then on."""
    texts = ("one", "two", "three")
    for text in texts:
        add_note(stack.deployment.archive, Note("octo/docs", "2026-11-20", text))
    add_note(stack.deployment.archive, Note("octo/docs", "2026-11-21", "four"))

    remove_notes(stack.deployment.archive, "octo/docs", "2026-11-20", "two")
    assert sorted(note.text for note in read_notes(stack.deployment.archive)) == ["four", "one", "three"]
    remove_notes(stack.deployment.archive, "octo/docs", "2026-11-20")
    assert [note.text for note in read_notes(stack.deployment.archive)] == ["four"]
    with pytest.raises(CommandError, match="no such note"):
        remove_notes(stack.deployment.archive, "octo/docs", "2026-11-20")


def test_an_object_that_is_no_note_is_named(stack: Stack) -> None:
    """Somebody put it there by hand; the message says which one, and what to do."""
    stack.note("notes/octo/docs/2026-11-20-x.json", {"text": "no day"})

    with pytest.raises(RecordError, match=r"notes/octo/docs/2026-11-20-x\.json .* remove it"):
        read_notes(stack.deployment.archive)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("octo/docs", "2026-11-20"), "add a text"),
        (("octo/docs", "--remove"), "needs the repository and the day"),
        (("octo/docs", "2026-11-20", "  "), "1 to 200 characters"),
        (("octo/docs", "2026-11-20", "x" * 201), "1 to 200 characters"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_opened(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine's start takes seconds; a mistake is told at once."""

    def never(_arguments: Target) -> None:
        raise AssertionError

    monkeypatch.setattr("cli.commands.note.opened", never)

    assert entry.main(["note", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_the_command_notes_lists_and_removes(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a person types it, from the name in use to the line in the list."""
    stack.repository("7", "octo/docs", names={"octo/manual": "2026-11-20"})
    monkeypatch.setattr("cli.commands.note.opened", lambda _arguments: nullcontext(stack.deployment))

    for arguments in (["octo/manual", "2026-11-20", "v2\nreleased"], [], ["7", "2026-11-20", "--remove"], ["7"]):
        assert entry.main(["note", *arguments]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "Noted for octo/docs on 2026-11-20: v2 released",
        "octo/docs\t2026-11-20\tv2 released",
        "Removed from octo/docs on 2026-11-20: v2 released",
    ]


@pytest.mark.parametrize(("word", "days"), [("today", 0), ("yesterday", -1), ("tomorrow", 1), ("2031-02-03", None)])
def test_a_planned_release_can_be_noted(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, word: str, days: int | None
) -> None:
    """A release has a day before it comes, and its note explains the spike when it is there."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-20"})
    monkeypatch.setattr("cli.commands.note.opened", lambda _arguments: nullcontext(stack.deployment))
    day = word if days is None else (datetime.now(UTC) + timedelta(days=days)).date().isoformat()

    assert entry.main(["note", "octo/docs", word, "v3"]) == 0

    assert capsys.readouterr().out == f"Noted for octo/docs on {day}: v3\n"
    assert read_notes(stack.deployment.archive) == [Note("octo/docs", day, "v3")]


def test_a_note_typed_in_a_locale_without_utf_8_is_the_text_that_was_typed(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python gives each byte that the locale does not have as half a character."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-20"})
    monkeypatch.setattr("cli.commands.note.opened", lambda _arguments: nullcontext(stack.deployment))

    assert entry.main(["note", "octo/docs", "2026-11-20", "Größe".encode().decode("ascii", "surrogateescape")]) == 0

    assert [note.text for note in read_notes(stack.deployment.archive)] == ["Größe"]


def test_a_text_that_is_not_utf_8_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Half a character in the archive could be shown nowhere."""
    assert entry.main(["note", "octo/docs", "2026-11-20", "Gr\udcf6\udcdfe"]) == 2
    assert "is not UTF-8" in capsys.readouterr().err
