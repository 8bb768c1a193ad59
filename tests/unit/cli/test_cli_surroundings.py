"""The commands in bad surroundings: proxies, unusable folders, other runs that have not ended."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from requests.utils import should_bypass_proxies

from cli.command import Target
from cli.main import main
from cli.settings.local_settings import read_settings
from cli.stack import ready
from cli.stack.ready import _wait_for_runs
from local.engine import Engine, EngineError, tail
from tests.infrastructure.house import ROOT
from traffic.settings import SettingError


def test_calls_to_this_machine_do_not_use_a_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The engine and its functions inherit the environment of the command. A proxy would reach none of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "intranet.example")

    main(["show", "octo/docs"])

    for name in ("NO_PROXY", "no_proxy"):
        assert os.environ[name] == "intranet.example,127.0.0.1,localhost,::1"
    for host in ("127.0.0.1", "localhost", "intranet.example"):
        assert should_bypass_proxies(f"http://{host}:8080/", os.environ["NO_PROXY"])
    assert not should_bypass_proxies("http://api.github.com/", os.environ["NO_PROXY"])


def test_a_home_that_cannot_be_made_is_one_clear_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A traceback looks like a fault of the program, not of the folder."""
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr(ready, "synthesize", lambda *_given, **_options: tmp_path)

    assert main(["run"]) == 1

    error = capsys.readouterr().err
    assert error.startswith("traffic: error:")
    assert str(tmp_path / "file" / "home") in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("content", ["GITHUB_TOKEN=x\n".encode("utf-16"), b"GITHUB_TOKEN=x # caf\xe9\n"])
def test_a_dotenv_in_another_encoding_is_one_clear_message(tmp_path: Path, content: bytes) -> None:
    """A shell of Windows writes UTF-16 by default."""
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingError, match=r"\.env cannot be read .*UTF-8"):
        read_settings({}, tmp_path)


class BusyStepFunctions:
    """An engine whose run ends after a number of looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def client(self, _service: str) -> "BusyStepFunctions":
        """Be the client."""
        return self

    def list_state_machines(self) -> Any:
        """List the only state machine."""
        return {"stateMachines": [{"stateMachineArn": "machine"}]}

    def list_executions(self, **given: str) -> dict[str, Sequence[str]]:
        """List what is running, and count the look."""
        assert given == {"stateMachineArn": "machine", "statusFilter": "RUNNING"}
        self.looks -= 1
        return {"executions": ["run"] if self.looks > 0 else []}


def test_a_deployment_waits_for_a_run_and_reports_it_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment restarts the functions, and would kill one that is working."""
    monkeypatch.setattr(ready, "LOOK_EVERY", 0)
    busy = BusyStepFunctions(looks=3)

    _wait_for_runs(cast("Engine", busy))

    assert busy.looks == 0
    assert capsys.readouterr().err.count("Another run is going on here") == 1


# A command that prints and then goes on, as a run does, and one that prints what was asked for.
PROGRAM = """
import sys
from contextlib import nullcontext
import click
from cli import main as entry
from cli.terminal import say, table, warn

@click.command()
@click.argument("kind")
def execute(kind):
    if kind == "table":
        for _ in range(20_000):
            table(("A", "B"), [("octo/docs", 1)])
    elif kind == "raised":
        raise OSError(28, "No space left on device")
    else:
        for _ in range(20_000):
            say("\u2588 " + kind)
            warn("\u2588")
    open(sys.argv[1], "w").write("done")
    return 0

entry.Traffic.load = lambda _self, _name: execute
sys.exit(entry.main(["run", sys.argv[2]]))
"""


def ended(tmp_path: Path, kind: str, ending: str, **settings: str) -> tuple[int, str, bool]:
    """Run the command, followed by a part of a shell's line; return its exit code, what is shown, and if it ended."""
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    line = f'"$0" program.py done {kind} {ending}; exit "${{PIPESTATUS[0]}}"'
    ran = subprocess.run(  # noqa: S603 - our own program
        ["/bin/bash", "-c", line, sys.executable],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        check=False,
    )
    return ran.returncode, (ran.stdout + ran.stderr).decode(), (tmp_path / "done").exists()


@pytest.mark.parametrize("reader", ["2>/dev/null | head -2", "2>&1 | head -2"])
def test_a_reader_that_ends_does_not_end_what_a_command_works_on(tmp_path: Path, reader: str) -> None:
    """`traffic run | head -2` must not record a failed run: it goes on silently, to its own end."""
    code, shown, complete = ended(tmp_path, "run", reader)

    assert (code, complete) == (0, True)
    assert len(shown.splitlines()) == 2


def test_what_was_asked_for_ends_with_its_reader(tmp_path: Path) -> None:
    """Nobody waits for 100,000 rows that nobody reads. The exit code is the one of other Unix tools."""
    assert ended(tmp_path, "table", "| head -2") == (141, "octo/docs\t1\n" * 2, False)


def test_an_output_on_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """Python itself would add a traceback at its end."""
    code, shown, _ = ended(tmp_path, "table", "> /dev/full")

    assert code == 1
    assert shown == "traffic: error: No space left on device: free some space, then try again.\n"


def test_an_output_that_is_closed_is_no_error(tmp_path: Path) -> None:
    """Some schedulers start commands so."""
    assert ended(tmp_path, "run", ">&- 2>&-") == (0, "", True)


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_locale_without_utf_8_gets_utf_8(tmp_path: Path, locale: str) -> None:
    """The charts of a summary are not ASCII: a finished run must not end in a traceback."""
    code, shown, complete = ended(tmp_path, "run", "2>/dev/null | tail -1", PYTHONUTF8="0", LC_ALL=locale)

    assert (code, shown, complete) == (0, "\N{FULL BLOCK} run\n", True)


@pytest.mark.parametrize(
    "disk",
    [
        (9_000_000, "9.0", ""),
        (0, "0.0", "INFO ready"),
        (10**9, "1,000.0", "OSError: [Errno 28] No space left on device"),
    ],
)
@pytest.mark.parametrize("raised", ["EngineError", "ClientError"])
def test_a_full_disk_is_named_with_what_helps(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    raised: str,
    disk: tuple[int, str, str],
) -> None:
    """The engine fails in many ways then, most of which do not mention the disk; and it removes unfinished files."""
    free, left, log = disk
    errors: dict[str, Exception] = {
        "EngineError": EngineError("the engine did not start:\nTraceback (most recent call last):\n  File x"),
        "ClientError": ClientError({"Error": {"Code": "500", "Message": "Internal Server Error"}}, "PutObject"),
    }

    def full(_target: Target) -> None:
        raise errors[raised]

    history = tmp_path / "home" / "demo"
    history.mkdir(parents=True)
    (history / "engine.log").write_text(log)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("cli.commands.executions.opened", full)
    monkeypatch.setattr("cli.stack.failures.shutil.disk_usage", lambda _path: shutil._ntuple_diskusage(1, 1, free))

    assert main(["executions"]) == 1

    assert capsys.readouterr().err == (
        f"traffic: error: The disk of {history} is full ({left} MB left): free some space, then try again."
        " Nothing that was stored is lost.\n"
    )


def test_the_end_of_the_engines_log_has_no_traceback(tmp_path: Path) -> None:
    """In one line it is unreadable, and its last line says the same."""
    log = tmp_path / "engine.log"
    log.write_text('Traceback (most recent call last):\n  File "x", line 1\nOSError: [Errno 28] No space left\n')

    assert tail(log) == "OSError: [Errno 28] No space left"
