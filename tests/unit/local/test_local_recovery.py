"""Recovery, against an engine whose AWS clients are fakes."""

import fcntl
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.engine import Engine, EngineError
from local.history_folder import HistoryFolder, Saved, write_marker
from local.recovery import recover
from local.stored_history import is_complete
from local.stored_items import EngineTables

OUTPUTS = {"ArchiveBucket": "archive", "StoreTrafficFunction": "store"}
WRITTEN = {"answers/a/3": 21, "answers/b/1": 20, "imports/2": 22, "answers/old": 19, "runs/9": 25}


class _FakeEngine(Engine):
    """An engine with an archive, which records what is invoked and asked."""

    def __init__(self, *, stored_until: str | None = None, recovered: bool = False, error: bytes = b"") -> None:
        super().__init__("http://127.0.0.1:1", 1, "KEY", Path())
        self.about = {"stored_until": stored_until, "recovered": recovered}
        self.error, self.events, self.asked = error, list[Any](), list[tuple[str, str]]()
        self.clients["s3"] = SimpleNamespace(get_paginator=lambda _name: SimpleNamespace(paginate=self.pages))
        self.clients["lambda"] = SimpleNamespace(invoke=self.invoke)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def status(self) -> dict[str, Any]:
        return self.about

    def ask(self, method: str, what: str) -> dict[str, Any]:
        self.asked.append((method, what))
        return {}

    def pages(self, Bucket: str, Prefix: str) -> Any:  # noqa: N803 - boto3's names
        assert Bucket == "archive"
        found = [
            {"Key": key, "LastModified": datetime(2026, 11, day, tzinfo=UTC)}
            for key, day in WRITTEN.items()
            if key.startswith(Prefix)
        ]
        return [{}, {"Contents": found}]

    def invoke(self, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803
        assert FunctionName == "store"
        self.events.append(json.loads(Payload))
        return {"FunctionError": "Unhandled", "Payload": io.BytesIO(self.error)} if self.error else {}

    def keys(self) -> list[str]:
        """Return the archive keys that were stored, in order."""
        return [event["batch"]["key"] for event in self.events]


def test_everything_is_stored_in_the_order_of_its_times_if_nothing_is_known_to_be() -> None:
    """Answers and imports only; afterwards the state is saved."""
    engine, progress = _FakeEngine(), list[tuple[int, int]]()

    assert recover(engine, OUTPUTS, on_progress=lambda done, number: progress.append((done, number))) == 4

    assert engine.keys() == ["answers/b/1", "imports/2", "answers/a/3", "answers/old"]
    assert engine.asked == [("POST", "recovered"), ("POST", "save")]
    assert progress == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    event = engine.events[0]
    assert datetime.fromisoformat(event["run"].pop("started")).tzinfo == UTC
    assert event == {"run": {"id": "recovery"}, "batch": {"repositories": [], "key": "answers/b/1"}}


def test_only_objects_written_since_the_last_save_are_stored() -> None:
    """An object written at that very moment may be missing from the tables."""
    engine = _FakeEngine(stored_until="2026-11-21T00:00:00.000Z")

    assert recover(engine, OUTPUTS) == 2
    assert engine.keys() == ["imports/2", "answers/a/3"]


def test_a_recovery_without_objects_saves_nothing() -> None:
    """A save takes seconds; the engine still counts as recovered."""
    engine, progress = _FakeEngine(stored_until="2026-12-01T00:00:00.000Z"), list[Any]()

    assert recover(engine, OUTPUTS, on_progress=lambda *numbers: progress.append(numbers)) == 0
    assert engine.asked == [("POST", "recovered")]
    assert progress == []


def test_an_engine_recovers_once() -> None:
    """Later commands use the same engine."""
    engine = _FakeEngine(recovered=True)

    assert recover(engine, OUTPUTS) == 0
    assert (engine.events, engine.asked) == ([], [])


def test_an_object_that_cannot_be_stored_ends_the_recovery() -> None:
    """The message contains at most 500 characters of the function's error."""
    engine = _FakeEngine(error=b"x" * 501 + b"\xff")

    with pytest.raises(EngineError) as raised:
        recover(engine, OUTPUTS)

    assert str(raised.value) == f"answers/b/1 could not be stored again: {'x' * 500}"
    assert engine.asked == []


def test_tables_are_complete_if_the_last_engine_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers then need no engine: one that ended properly, or one that runs and has recovered."""
    history = HistoryFolder(tmp_path / "history")
    assert not is_complete(history)

    history.prepare()
    history.lock.touch()
    write_marker(history, Saved(complete=True))
    assert not is_complete(history)  # a history of an earlier version

    EngineTables(history.tables).close()
    assert is_complete(history)
    write_marker(history, Saved())
    assert not is_complete(history)

    with history.lock.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not is_complete(history)  # an engine starts, or ends
        for recovered in (True, False):
            engine = _FakeEngine(recovered=recovered)
            monkeypatch.setattr("local.stored_history.read_running", lambda _history, running=engine: running)
            assert is_complete(history) is recovered
