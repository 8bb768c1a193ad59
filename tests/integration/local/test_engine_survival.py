"""What a local history survives: stops, kills, and commands that come at the same time."""

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


def test_a_stop_keeps_everything(tmp_path: Path) -> None:
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


def test_rows_lost_by_a_kill_come_back_from_the_archive(tmp_path: Path) -> None:
    """The archive is on disk at once; tables are saved now and then."""
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


def test_only_what_was_not_saved_is_stored_again(tmp_path: Path) -> None:
    """Years of archive would take hours."""
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
    """Let an object have been written a year ago: S3's times are too coarse for a fast test."""
    (sidecar,) = history.glob(f"s3/*/small-archive-*/{key}.meta.json")
    text = sidecar.read_text()
    year = text.split('"last_modified": "')[1][:4]
    sidecar.write_text(text.replace(f'"last_modified": "{year}', f'"last_modified": "{int(year) - 1}'))


def test_a_recovery_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    """A Ctrl-C in it saves the tables: that must not pass for recovered."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        archive(engine, outputs, "1", "octo/docs")

    with running_engine(tmp_path / "history") as engine:
        assert recover(engine, outputs) == 1


def test_an_object_that_cannot_be_stored_again_stops_the_recovery(tmp_path: Path) -> None:
    """A hole that nobody hears of would stay one."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        engine.client("s3").put_object(Bucket=outputs["ArchiveBucket"], Key="answers/torn", Body=b'["octo/')

        with pytest.raises(EngineError, match=r"answers/torn could not be stored again: .*JSONDecodeError"):
            recover(engine, outputs)
        assert not engine.status()["recovered"]


def test_an_engine_killed_before_its_first_save_starts_again(tmp_path: Path) -> None:
    """The buckets are on disk, the stack is not: the next deployment adopts them."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        archive(engine, outputs, "1", "octo/docs")
        os.kill(engine.pid, signal.SIGKILL)

    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path)
        recover(engine, outputs)
        assert rows(engine) == ["octo/docs"]


def test_the_engine_ends_and_saves_when_its_parent_is_killed(tmp_path: Path) -> None:
    """A closed terminal leaves neither a process nor a loss."""
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


def test_an_engine_outlives_the_command_that_started_it_while_another_one_uses_it(tmp_path: Path) -> None:
    """`traffic start` is stopped while `traffic run` captures: the run must not die of it."""
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
    """Tools remember the account of a key; bucket names hold the account."""
    keys, accounts = set(), set()
    for _ in range(2):
        with running_engine(tmp_path / "history") as engine:
            keys.add(engine.access_key)
            accounts.add(engine.client("sts").get_caller_identity()["Account"])

    assert (len(keys), len(accounts)) == (2, 1)


def test_a_stop_that_could_not_save_is_reported(tmp_path: Path) -> None:
    """The rows are lost until the archive is stored again: that must not look like success."""
    history = HistoryFolder(tmp_path / "history")

    with pytest.raises(EngineError, match="could not save"), running_engine(history.root):
        history.marker.with_name("saved.json.new").mkdir()

    assert not history.scratch.exists()


def test_an_engine_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The log's last lines are shown: nobody should have to look for it."""
    HistoryFolder(tmp_path / "history").prepare()
    HistoryFolder(tmp_path / "history").marker.write_text("not JSON")

    with pytest.raises(EngineError, match="JSONDecodeError"), running_engine(tmp_path / "history"):
        pass
