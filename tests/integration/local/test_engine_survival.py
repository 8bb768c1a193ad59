"""A local history survives stops, kills, and commands at the same time."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from local.engine import ROOT, EngineError, running_engine
from local.history_folder import HistoryFolder
from local.recovery import recover
from tests.integration.engine_stack import alive, archive, deploy_small, ends, put_row, rows

PARENT = """
import sys, time
from pathlib import Path
from local.engine import running_engine
with running_engine(Path(sys.argv[1])) as engine:
    engine.client("s3").create_bucket(Bucket="kept")
    print(engine.pid, flush=True)
    time.sleep(60)
"""


def test_nothing_is_lost_at_a_stop(tmp_path: Path) -> None:
    """The second `make run` continues the history of the first."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        put_row(engine, "octo/docs")
        archive(engine, outputs, "1", "octo/archived")
        recover(engine, outputs)

    with running_engine(tmp_path / "history") as engine:
        assert deploy_small(engine, tmp_path) == outputs
        assert rows(engine) == ["octo/archived", "octo/docs"]
        assert recover(engine, outputs) == 0


def test_rows_lost_by_a_kill_are_restored_from_the_archive(tmp_path: Path) -> None:
    """The archive is on disk at once; tables are saved from time to time."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        recover(engine, outputs)
        archive(engine, outputs, "1", "octo/docs")
        os.kill(engine.pid, signal.SIGKILL)

    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        assert rows(engine) == []

        progress: list[tuple[int, int]] = []
        assert recover(engine, outputs, on_progress=lambda done, all_: progress.append((done, all_))) == 1

        assert rows(engine) == ["octo/docs"]
        assert progress == [(0, 1), (1, 1)]
        assert recover(engine, outputs) == 0


def test_only_objects_that_were_not_saved_are_stored_again(tmp_path: Path) -> None:
    """Storing years of the archive would take hours."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        archive(engine, outputs, "1", "octo/saved")
        recover(engine, outputs)
        move_back(tmp_path / "history", "answers/1")
    with running_engine(tmp_path / "history") as engine:
        archive(engine, outputs, "2", "octo/lost")
        os.kill(engine.pid, signal.SIGKILL)

    with running_engine(tmp_path / "history") as engine:
        assert recover(engine, outputs) == 1
        assert rows(engine) == ["octo/lost", "octo/saved"]


def move_back(history: Path, key: str) -> None:
    """Set the time of an object back by a year: S3's times are too coarse for a fast test."""
    (sidecar,) = history.glob(f"s3/*/small-archive-*/{key}.meta.json")
    text = sidecar.read_text()
    year = text.split('"last_modified": "')[1][:4]
    sidecar.write_text(text.replace(f'"last_modified": "{year}', f'"last_modified": "{int(year) - 1}'))


def test_an_interrupted_recovery_is_repeated(tmp_path: Path) -> None:
    """Ctrl-C during a recovery saves the tables, which must not count as recovered."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        archive(engine, outputs, "1", "octo/docs")

    with running_engine(tmp_path / "history") as engine:
        assert recover(engine, outputs) == 1


def test_an_object_that_cannot_be_stored_again_stops_the_recovery(tmp_path: Path) -> None:
    """Otherwise nobody would notice the hole."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        engine.client("s3").put_object(Bucket=outputs["ArchiveBucket"], Key="answers/torn", Body=b'["octo/')

        with pytest.raises(EngineError, match=r"answers/torn could not be stored again: .*JSONDecodeError"):
            recover(engine, outputs)
        assert not engine.status()["recovered"]


def test_an_engine_killed_before_its_first_save_starts_again(tmp_path: Path) -> None:
    """The buckets are on disk, the stack is not: the next deployment imports them."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        archive(engine, outputs, "1", "octo/docs")
        os.kill(engine.pid, signal.SIGKILL)
    HistoryFolder(tmp_path / "history").marker.unlink()  # a deployment ends with a save

    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        recover(engine, outputs)
        assert rows(engine) == ["octo/docs"]


def test_the_engine_ends_and_saves_when_its_parent_is_killed(tmp_path: Path) -> None:
    """After a terminal is closed, no process is left and nothing is lost."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "history")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603 - our own
        assert parent.stdout is not None
        engine_pid = int(parent.stdout.readline())
        parent.kill()

    assert ends(engine_pid)
    assert not HistoryFolder(tmp_path / "history").scratch.exists()
    with running_engine(tmp_path / "history") as engine:
        assert [bucket["Name"] for bucket in engine.client("s3").list_buckets()["Buckets"]] == ["kept"]


def test_a_second_command_uses_the_engine_of_the_first(tmp_path: Path) -> None:
    """Two engines on one history would overwrite each other's state."""
    with running_engine(tmp_path / "history") as first:
        with running_engine(tmp_path / "history") as second:
            assert second.pid == first.pid
        assert alive(first.pid)
        assert first.status()["pid"] == first.pid
    assert ends(first.pid)


def test_an_engine_runs_until_the_last_command_that_uses_it_ends(tmp_path: Path) -> None:
    """If `traffic start` is stopped while `traffic run` captures, the run must continue."""
    leaving, attached, done = threading.Event(), threading.Event(), threading.Event()

    def start() -> None:
        with running_engine(tmp_path / "history"):
            attached.wait(30)
            leaving.set()
        done.set()

    owner = threading.Thread(target=start)
    owner.start()
    while not HistoryFolder(tmp_path / "history").running.exists():
        time.sleep(0.05)
    with running_engine(tmp_path / "history") as engine:
        attached.set()
        assert leaving.wait(30)
        assert not done.wait(1)
        assert engine.client("s3").list_buckets()["Buckets"] == []
    owner.join(60)
    assert done.is_set()
    assert ends(engine.pid)


def test_each_engine_has_another_key_but_the_same_account(tmp_path: Path) -> None:
    """Tools remember the account of a key; bucket names contain the account."""
    keys, accounts = set(), set()
    for _ in range(2):
        with running_engine(tmp_path / "history") as engine:
            keys.add(engine.access_key)
            accounts.add(engine.client("sts").get_caller_identity()["Account"])

    assert (len(keys), len(accounts)) == (2, 1)


def test_a_failed_save_at_the_end_is_reported(tmp_path: Path) -> None:
    """Rows are missing until the archive is stored again, which must not look like success."""
    history = HistoryFolder(tmp_path / "history")

    with pytest.raises(EngineError, match="could not save"), running_engine(history.root):
        history.marker.with_name("saved.json.new").mkdir()

    assert not history.scratch.exists()


def test_an_engine_that_cannot_start_reports_the_reason(tmp_path: Path) -> None:
    """The message contains the last lines of the log."""
    HistoryFolder(tmp_path / "history").prepare()
    HistoryFolder(tmp_path / "history").marker.write_text("not JSON")

    with pytest.raises(EngineError, match="JSONDecodeError"), running_engine(tmp_path / "history"):
        pass
