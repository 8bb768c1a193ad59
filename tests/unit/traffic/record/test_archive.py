"""The archive: immutable, complete, and readable with standard tools."""

import gzip
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from simulated_github import faults
from tests.unit.fake_s3 import FakeS3
from tests.unit.handlers import account
from tests.unit.recorded import Record, record
from traffic.contract import METRICS, ArchivedAnswer, Batch, ImportedHistory
from traffic.errors import RecordError
from traffic.record.archive import Archive, pack, unpack

DOCUMENT = Path(__file__).parents[4] / "docs" / "archive.md"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """Capture for three weeks, in which GitHub refuses one capture and a repository is renamed."""
    with record(monkeypatch, "octo/docs", "octo/web", regime="rolling", seed=5) as made:
        made.capture("2026-11-01T09:00:00Z")
        made.github.refuse("octo/web", faults.no_push_access())
        made.capture("2026-11-02T09:00:00Z")
        made.github.clear_faults()
        made.github.rename("octo/docs", "octo/manual")
        made.capture("2026-11-21T09:00:00Z")
        yield made


def answer(**given: Any) -> ArchivedAnswer:
    """Return a line of an archive object."""
    line: ArchivedAnswer = {
        "run": "run-1",
        "repo_id": 1,
        "repo": "octo/docs",
        "endpoint": "paths",
        "captured_at": "2026-11-20T09:00:00Z",
        "status": 200,
        "headers": {},
        "body": "[]",
        "outcome": "captured",
    }
    return {**line, **given}  # type: ignore[typeddict-item]


def keys(kept: Record) -> list[str]:
    """List the archive's objects."""
    return [found["Key"] for found in kept.aws.s3.list_objects_v2(Bucket="archive", Prefix="answers/")["Contents"]]


def downloaded(kept: Record, folder: Path) -> Path:
    """Do what `aws s3 sync` does."""
    for key in keys(kept):
        (folder / "archive" / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / "archive" / key).write_bytes(kept.aws.s3.get_object(Bucket="archive", Key=key)["Body"].read())
    return folder


def test_the_documented_query_returns_the_table(kept: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People who read the archive without this system must find the same numbers, and no invented ones."""
    monkeypatch.chdir(downloaded(kept, tmp_path))
    query, _of_listings = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)

    found = duckdb.connect().execute(query).fetchall()

    table = {
        (int(item["repo-id"]), item["timestamp"], *(item.get(metric) for metric in METRICS))
        for item in kept.aws.days().values()
    }
    assert {(row[0], *row[2:]) for row in found} == table
    assert {row[1] for row in found} == {"octo/docs", "octo/manual", "octo/web"}


def test_gzip_and_any_json_reader_read_it(kept: Record, tmp_path: Path) -> None:
    """In years people must be able to read it without this code."""
    folder = downloaded(kept, tmp_path)
    files = sorted(map(str, folder.rglob("*.jsonl.gz")))

    text = subprocess.run(["gzip", "-dc", *files], capture_output=True, check=True).stdout  # noqa: S603, S607 (gzip)

    assert text.count(b"\n") == 4 * 5 + 1  # four answers for each capture; a refusal is one line
    assert all(line.startswith(b'{"run":"run-') for line in text.splitlines())


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_documented_command_reads_the_answers(kept: Record, tmp_path: Path) -> None:
    """It prints time, repository and status of each answer about views."""
    (command,) = re.findall(r"```sh\n(gzip .*answers/.*)\n```", DOCUMENT.read_text(encoding="utf-8"))
    folder = downloaded(kept, tmp_path)

    text = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=True, text=True).stdout  # noqa: S603, S607

    lines = [line.split("\t") for line in text.splitlines()]
    assert sorted((at[:10], name, status) for at, name, status in lines) == [
        ("2026-11-01", "octo/docs", "200"),
        ("2026-11-01", "octo/web", "200"),
        ("2026-11-02", "octo/docs", "200"),
        ("2026-11-02", "octo/web", "403"),
        ("2026-11-21", "octo/manual", "200"),
        ("2026-11-21", "octo/web", "200"),
    ]


def test_an_objects_name_has_its_time_and_its_hash(kept: Record) -> None:
    """The order of names is the order of captures, and the hash proves that the content is unchanged."""
    for key in keys(kept):
        content = kept.aws.s3.get_object(Bucket="archive", Key=key)["Body"].read()
        line = unpack(content)[0]
        assert hashlib.sha256(content).hexdigest() in key
        assert (
            f"capture_date={line['captured_at'][:10]}/{line['captured_at'].replace('-', '').replace(':', '')}-" in key
        )


def test_githubs_bodies_are_kept_byte_by_byte(kept: Record) -> None:
    """A body that is parsed and written again loses what this version does not read."""
    kept.github.add_fault(faults.oversized_body(5_000), repository="octo/web", endpoint="paths")
    before = set(keys(kept))

    kept.capture("2026-11-22T09:00:00Z", "octo/web")

    (key,) = set(keys(kept)) - before
    content = kept.aws.s3.get_object(Bucket="archive", Key=key)["Body"].read()
    (body,) = [line["body"] for line in unpack(content) if line["endpoint"] == "paths"]
    assert len(body) == 5_000
    assert body.endswith("]" + " " * (5_000 - len(body.rstrip())))


def test_a_second_write_of_a_key_changes_nothing(kept: Record) -> None:
    """Other content under the same name must not replace what was archived."""
    archive = Archive("archive", kept.aws.s3)
    key = archive.put_answers([answer()])
    kept.aws.s3.put_object(Bucket="archive", Key=key, Body=b"what was there first")

    assert archive.put_answers([answer()]) == key

    assert kept.aws.s3.get_object(Bucket="archive", Key=key)["Body"].read() == b"what was there first"


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "é", "\U0001f600"])
def test_any_character_survives(character: str) -> None:
    """A title with a Unicode line separator must not break its line in two."""
    line = answer(body=f'[{{"title": "a{character}b"}}]')

    assert unpack(pack([line, line])) == [line, line]


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-9], lambda _content: b"text", lambda content: content[:20] + b"\xff" * 40]
)
def test_a_damaged_object_is_refused(damage: Any) -> None:
    """A cut-off object must not look like a short one."""
    with pytest.raises(ValueError, match="gzip"):
        unpack(damage(pack([answer()] * 50)))


def test_the_same_answers_give_the_same_object() -> None:
    """A retried write must result in the same key."""
    assert pack([answer()]) == pack([answer()])
    assert gzip.decompress(pack([answer()])).endswith(b"\n")


def test_objects_are_listed_in_an_order_in_which_they_can_be_stored(kept: Record) -> None:
    """An import of a new repository has its place among the captures; other imports come last."""
    archive = Archive("archive", kept.aws.s3)
    history: ImportedHistory = {
        "source": "a tool",
        "files": [],
        "repo_id": 7,
        "repo": "octo/docs",
        "imported_at": "2026-11-01T12:00:00Z",
        "new": True,
        "days": {},
        "snapshots": {},
    }

    first, later = archive.put_import(history), archive.put_import({**history, "new": False})
    assert archive.put_import(history) == first, "the same import is stored once"

    found = archive.stored_keys()
    names = [key.rpartition("/")[2] for key in found]
    assert [names.index(key.rpartition("/")[2]) for key in (first, later)] == [2, len(found) - 1]
    assert names == sorted(names)
    assert set(found) == {*keys(kept), first, later}
    assert list[object](archive.read_answers(first)) == [history]


def test_a_damaged_object_is_reported_with_what_to_do() -> None:
    """The command ends with this line, and Store traffic fails with it."""
    s3 = FakeS3()
    s3.objects["answers/x.jsonl.gz"] = b"text"

    with pytest.raises(RecordError) as refused:
        Archive("archive", s3).read_answers("answers/x.jsonl.gz")

    assert str(refused.value) == (
        "answers/x.jsonl.gz in the archive cannot be read (not a complete gzip file: Not a gzipped file (b'te')): "
        "bring its earlier version back, or move it elsewhere."
    )


def test_a_note_is_read_as_it_was_written_and_as_none_once_deleted() -> None:
    """A step must be able to separate a missing note from an empty one."""
    archive = Archive("archive", FakeS3())
    archive.put_note("runs/1/note.json", {"name": "Ünïcode", "rows": []})

    assert archive.read_note("runs/1/note.json") == {"name": "Ünïcode", "rows": []}
    assert list(archive.keys("runs/1/")) == ["runs/1/note.json"]
    archive.delete("runs/1/note.json")
    assert archive.read_note("runs/1/note.json") is None


BATCHES: list[Batch] = [
    {"repositories": [{"id": 1, "name": "octo/docs"}]},
    {"repositories": [{"id": 2, "name": "octo/Ünïcode"}, {"id": 3, "name": "octo/a" * 50}], "owner": "octo"},
    {"repositories": [{"id": 4, "name": "octo/[x],"}]},
]


def test_each_batch_of_a_manifest_is_read_without_the_others() -> None:
    """A manifest of 100,000 repositories has megabytes, and one child reads all batches of its lane."""
    s3 = FakeS3()
    archive = Archive("archive", s3)

    width = archive.put_manifest("runs/1/manifest.json", BATCHES)

    assert [archive.read_batch("runs/1/manifest.json", number, width) for number in range(3)] == BATCHES
    content = s3.objects["runs/1/manifest.json"]
    assert {len(line) for line in content.splitlines(keepends=True)} == {width}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_manifest_is_a_list_of_json_as_the_map_reads_it(count: int) -> None:
    """The states language knows no other form, and Summarize run reads all of it."""
    archive = Archive("archive", FakeS3())

    archive.put_manifest("runs/1/manifest.json", BATCHES[:count])

    assert archive.read_note("runs/1/manifest.json") == BATCHES[:count]


def test_s3_returns_the_bytes_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last byte of a range is included; one more would be the beginning of the next batch."""
    with account(monkeypatch, "http://127.0.0.1:9") as kept_in:
        archive = Archive("archive", kept_in.s3)
        width = archive.put_manifest("runs/1/manifest.json", BATCHES)

        assert archive.read_batch("runs/1/manifest.json", 1, width) == BATCHES[1]
