"""How a command finds, starts and stops the engine, with a stand-in for the engine's process."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import engine as local_engine
from local.engine import Engine, EngineError, running_engine
from local.history_folder import ALREADY_RUNNING, HistoryFolder

# A process that locks the history and answers as the engine does, without ministack: it starts in a moment.
STAND_IN = """
import fcntl, json, os, sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
root = Path(sys.argv[1])
lock = os.open(root / "engine" / "lock", os.O_RDWR | os.O_CREAT)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    sys.exit(75)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        about = {} if (root / "earlier").exists() else {"tables": "tables.sqlite"}
        body = json.dumps({"history": str(root), "environment": dict(os.environ), **about}).encode()
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    log_message = lambda *_: None
server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
time.sleep(0.3)  # others see the lock before the address
about = {"pid": os.getpid(), "port": server.server_address[1], "access_key": "KEY"}
(root / "engine" / "running.json").write_text(json.dumps(about))
with (root / "starts").open("a") as starts:
    starts.write("x")
sys.stdin.read()
print("the last line", flush=True)
os._exit(int((root / "code").read_text()) if (root / "code").exists() else 0)
"""


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history whose engine is the stand-in."""
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.setattr(local_engine, "LAUNCHER", "stand_in")
    monkeypatch.setattr(local_engine, "ROOT", tmp_path)
    return tmp_path / "history"


def test_commands_that_start_at_once_share_one_engine(history: Path) -> None:
    """Each of them finds no engine and tries to start one; all but one must use the other's."""
    found: list[int] = []
    together = threading.Barrier(4)

    def command() -> None:
        together.wait()
        with running_engine(history) as engine:
            found.append(engine.pid)
            together.wait(30)

    threads = [threading.Thread(target=command) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(found) == 4
    assert len(set(found)) == 1
    assert (history / "starts").read_text() == "x"


def test_a_command_does_not_use_the_engine_of_an_earlier_version(history: Path) -> None:
    """It saves the tables in another form, and loses what is written to them now. It ends with its last command."""
    with running_engine(history) as engine:
        (history / "earlier").touch()
        with pytest.raises(EngineError) as raised, running_engine(history):
            pass

    assert str(raised.value) == (
        f"a command of an earlier version still works with {history} (its engine is process {engine.pid}): wait until"
        " it ends, or end it with Ctrl-C, then try again"
    )


def test_an_engine_is_described_by_what_it_wrote(history: Path) -> None:
    """Its address, key and history; afterwards it has ended."""
    with running_engine(history) as engine:
        about = json.loads((history / "engine" / "running.json").read_text())
        assert engine.url == f"http://127.0.0.1:{about['port']}"
        assert (engine.pid, engine.access_key, engine.history) == (about["pid"], "KEY", history)
        assert engine.status()["history"] == str(history)
    with pytest.raises(EngineError) as raised:
        engine.save()
    assert str(raised.value).startswith(f"the local engine (process {about['pid']}) does not answer to save: ")


def test_an_engine_inherits_only_what_it_needs(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its functions inherit the same: no token, no AWS credentials."""
    for name in ("GITHUB_TOKEN", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, "secret")
    for name in local_engine.INHERITED:
        monkeypatch.setenv(name, os.environ["PATH"] if name == "PATH" else "")

    with running_engine(history) as engine:
        environment = engine.status()["environment"]

    kept = {name for name in environment if name not in ("LC_CTYPE", "__CF_USER_TEXT_ENCODING")}
    assert kept == {*local_engine.INHERITED, "PYTHONDONTWRITEBYTECODE"}
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_list_of_inherited_variables_is_complete() -> None:
    """Functions need the path, certificates and proxies of the machine."""
    assert set(local_engine.INHERITED) == {
        *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "TRAFFIC_WAIT_SCALE"),
    }


def test_an_engine_that_fails_at_its_end_is_reported_with_its_log(history: Path) -> None:
    """It could not save: that must not look like success."""
    log = history / "engine.log"

    with pytest.raises(EngineError) as raised, running_engine(history):
        (history / "code").write_text("1")

    assert str(raised.value) == f"the local engine could not save its state; the end of {log}:\nthe last line"


def test_an_engine_that_was_killed_is_not_reported_again(history: Path) -> None:
    """The command that used it has failed already."""
    with running_engine(history) as engine:
        os.kill(engine.pid, 9)


def test_an_engine_that_does_not_start_is_reported_with_its_log(history: Path, tmp_path: Path) -> None:
    """The message contains the last 15 lines."""
    (tmp_path / "stand_in.py").write_text("for n in range(20): print(n)\nraise SystemExit(3)")
    log = history / "engine.log"

    with pytest.raises(EngineError) as raised, running_engine(history):
        pass

    lines = "\n".join(map(str, range(5, 20)))
    assert str(raised.value) == f"the local engine did not start; the end of {log}:\n{lines}"


def test_an_engine_that_never_answers_ends_the_wait(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may hold the lock and hang."""
    monkeypatch.setattr(local_engine, "START_TIMEOUT", 0.2)
    folder = HistoryFolder(history)
    folder.prepare()

    with folder.lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EngineError) as raised, running_engine(history):
            pass

    assert str(raised.value) == f"an engine holds {folder.lock} but does not answer; see {folder.log}"


@contextmanager
def serving(about: dict[str, str]) -> Iterator[int]:
    """Answer every request with this status, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(about).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_the_engine_of_another_history_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old running.json may contain a port that another engine has now."""
    monkeypatch.setattr(local_engine, "START_TIMEOUT", 0.2)
    folder = HistoryFolder(tmp_path / "history")
    folder.prepare()
    with folder.lock.open("a") as lock, serving({"history": "/elsewhere"}) as port:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder.running.write_text(json.dumps({"pid": 1, "port": port, "access_key": "KEY"}))
        with pytest.raises(EngineError, match="does not answer"):
            local_engine.find_running(folder)

    assert local_engine.find_running(folder) is None


@pytest.mark.parametrize(("code", "result"), [(ALREADY_RUNNING, None), (0, EngineError), (1, EngineError)])
def test_a_process_that_found_the_history_locked_is_no_failure(tmp_path: Path, code: int, result: Any) -> None:
    """The command then uses the other engine."""
    folder = HistoryFolder(tmp_path / "history")
    folder.prepare()
    folder.log.write_text("")
    with subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"]) as process:  # noqa: S603 - our own
        if result is None:
            assert local_engine.wait_until_ready(folder, process) is None
        else:
            with pytest.raises(result):
                local_engine.wait_until_ready(folder, process)


def test_a_client_is_made_once_and_ignores_the_users_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile or a proxy of the user would lead to the real AWS."""
    monkeypatch.setenv("AWS_PROFILE", "absent")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    engine = Engine("http://127.0.0.1:1", 1, "KEY", Path())

    client = engine.client("s3")

    assert engine.client("s3") is client
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    assert client.meta.region_name == "us-east-1"
    assert client.meta.config.proxies == {}
    assert client.meta.config.read_timeout == 900
    assert client.meta.config.retries["total_max_attempts"] == 3
    assert client.meta.config.s3["addressing_style"] == "path"
    credentials = client._request_signer._credentials
    assert (credentials.access_key, credentials.secret_key) == ("KEY", "local")


def test_a_lock_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    """Commands that deploy at once do so one after the other."""
    events: list[str] = []

    def second() -> None:
        with local_engine.only_one(tmp_path / "lock"):
            events.append("second")

    with local_engine.only_one(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        events.append("first")
    thread.join(10)

    assert events == ["first", "second"]


def test_stopping_closes_the_standard_input_and_waits() -> None:
    """The engine saves and ends when its standard input ends."""
    program = "import sys; sys.stdin.read(); sys.exit(7)"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as process:  # noqa: S603 - our own
        local_engine.stop(process)
        assert process.returncode == 7

    local_engine.stop(SimpleNamespace(stdin=None, wait=lambda: None))  # type: ignore[arg-type]  # without one


def test_the_account_is_the_one_of_ministack() -> None:
    """Names of buckets contain it: a history would lose them with another one."""
    assert (local_engine.ACCOUNT, local_engine.REGION) == ("000000000000", "us-east-1")
