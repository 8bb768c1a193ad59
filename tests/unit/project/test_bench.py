"""Promise: the benchmarks measure what they claim, checked as far as the machine does not matter."""

import socket
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cli.runs.prices import MEMORY
from simulated_github import SimulatedGitHub
from tests.bench import __main__ as bench
from tests.bench import as_before as way
from tests.bench import first_version, functions
from tests.bench.account import account
from tests.bench.processor import PERIOD, hold
from tests.bench.speed import as_before, of_one_user
from tests.bench.writes import writes_by_changed_item


def test_each_changed_item_is_written_once_and_no_other() -> None:
    """AWS charges for a write even if it changes nothing."""
    rows = {what: (made, changed) for what, made, changed in writes_by_changed_item()}

    assert all(made == changed for made, changed in rows.values())
    assert rows["second run"] == (0, 0)
    assert rows["next day"][0] > 0


class FakeTable:
    """A table that keeps the items of its batch writer."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def batch_writer(self) -> Any:
        """Return the batch writer, which is the table itself."""
        return nullcontext(self)

    def put_item(self, *, Item: dict[str, Any]) -> None:  # noqa: N803 (boto3's name)
        """Keep an item."""
        self.items.append(Item)


def test_the_first_versions_loop_makes_two_calls_each_and_writes_every_day() -> None:
    """The comparison is fair only if the loop does what the first version did."""
    table = FakeTable()
    with SimulatedGitHub(repositories=3) as github:
        written = first_version.capture(github.url, github.names, table)
        endpoints = [call.endpoint for call in github.calls]

    assert endpoints == ["views", "clones"] * 3
    assert written == len(table.items) == 3 * 14
    assert all({"views-count", "clones-uniques"} < item.keys() for item in table.items)


# Three threads, all busy until together they have used a quarter of a second.
BUSY = """
import threading, time
def work():
    while time.process_time() < 0.25:
        pass
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_process_gets_its_share_of_a_core_and_no_more(share: float) -> None:
    """A function that was measured with more than Lambda's share could reach its timeout in Lambda."""
    begun = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", BUSY], text=True) as process:  # noqa: S603
        held = hold(process, share, begun=begun)
    seconds = time.monotonic() - begun

    assert process.returncode == 0
    assert held.cpu_seconds >= 0.25
    assert held.share <= share * 1.0001
    assert seconds >= held.cpu_seconds / share - PERIOD  # limited all the time, not only computed at the end


def test_a_process_that_fails_ends() -> None:
    """A process that stays stopped would hang the benchmark."""
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], text=True) as process:
        hold(process, 0.5, begun=time.monotonic())

    assert process.returncode == 3


@pytest.mark.slow
def test_the_measured_functions_do_all_their_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that stops early, or that finds no entries, would look fast."""
    monkeypatch.setattr(functions, "MEMORY", dict.fromkeys(MEMORY, 2 * 1769))
    with account(200) as aws:
        *_, planning = functions.listings(aws, 200)
        summary = functions.summary(aws, 200)

    assert planning.state["manifest"]["repositories"] == 200
    assert "200 of 200 repositories captured" in summary.state["message"]
    assert summary.memory > 30


def test_a_section_that_is_measured_alone_replaces_itself_or_comes_before_the_year(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The year takes long to simulate, so it is kept as the end of the page."""
    page = tmp_path / "benchmarks.md"
    monkeypatch.setattr(bench, "PAGE", page)
    page.write_text(f"# Benchmarks\n\n## One\n\nold\n\n{bench.YEAR}\n\n- days lost: 0\n", encoding="utf-8")

    bench.replace_section("## One\n\nnew\n")
    bench.replace_section("## Two\n\nfresh\n")

    headings = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert headings == ["## One", "## Two", bench.YEAR]
    assert "old" not in page.read_text(encoding="utf-8")
    assert bench.kept_year() == "- days lost: 0\n"


def test_the_measured_account_asks_for_an_object_at_once() -> None:
    """Boto3 sends the head first. Without this answer it waits a second, which would count as the function's time."""
    with account(0) as aws:
        parts = urlsplit(aws)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            connection.sendall(b"PUT /archive/key HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            asked = connection.recv(100)
            connection.sendall(b"{}")
            answered = connection.recv(1000)

    assert asked.startswith(b"HTTP/1.1 100 ")
    assert answered.startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
def test_a_measured_run_counts_githubs_own_record() -> None:
    """A refusal that is not counted would make a pace look right that is too fast."""
    run = of_one_user("three repositories", latency=0.01, repositories=3)

    assert (run.repositories, run.calls, run.refused, run.waits) == (3, 14, 0, 0)
    assert run.peaks.startswith("14, ")
    assert run.function_seconds > 0
    assert run.dollars > 0


@pytest.mark.slow
def test_the_way_before_there_was_a_pace_is_measured_too() -> None:
    """It captures the same, in batches of 25, and would ask for all of them within a minute."""
    run = as_before("as before", latency=0.01, repositories=60)

    assert (run.repositories, run.calls, run.refused, run.waits) == (60, 242, 0, 0)
    assert run.peaks.startswith("242, ")


@pytest.mark.slow
def test_what_was_before_replaces_only_what_the_functions_define(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a renaming, the measured way would be today's."""
    monkeypatch.setattr(way, "CHANGED", {"traffic/github/pace.py": "\ndef gone(): pass\n"})

    with pytest.raises(ValueError, match=r"traffic/github/pace\.py defines no gone"), way.assembly_as_before():
        pass
