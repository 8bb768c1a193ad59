"""Start the local AWS engine on a history, or use the engine that already runs on it."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from local.history_folder import ALREADY_RUNNING, HistoryFolder

if TYPE_CHECKING:
    import boto3

ACCOUNT = "000000000000"  # ministack's account for every access key
REGION = "us-east-1"
ROOT = Path(__file__).parent.parent

# Environment variables of the engine and its functions: never a token, never AWS credentials.
INHERITED: tuple[str, ...] = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "TRAFFIC_WAIT_SCALE"),
)

LAUNCHER = "local.launcher"  # the module that the engine's process runs; tests replace it
START_TIMEOUT = 600.0  # seconds; ten million days of an earlier version are taken over within minutes


class EngineError(Exception):
    """The local engine failed; the message says how, and where to look."""


@dataclass(frozen=True)
class Engine:
    """A running local engine.

    Attributes:
        url: The address of the AWS APIs, `http://127.0.0.1:PORT`.
        pid: The id of its process.
        access_key: Different at each start; the account is always the same.
        history: The folder with everything that it stores.
    """

    url: str
    pid: int
    access_key: str
    history: Path
    clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, which ignores the user's AWS settings."""
        if service not in self.clients:
            from botocore.config import Config  # noqa: PLC0415 - a command that starts no engine needs no boto3

            session: Any = isolated_session(self.access_key)
            self.clients[service] = session.client(
                service,
                endpoint_url=self.url,
                config=Config(
                    proxies={}, read_timeout=900, retries={"max_attempts": 2}, s3={"addressing_style": "path"}
                ),
            )
        return self.clients[service]

    def status(self) -> dict[str, Any]:
        """Return the engine's own status; see `local.gateway`."""
        return self.ask("GET", "engine")

    def save(self) -> None:
        """Save the state now: a later kill loses only later changes."""
        self.ask("POST", "save")

    def note_stored(self, key: str = "") -> None:
        """Note that everything archived so far, or one object, is in the tables: no start has to store it again."""
        self.ask("POST", f"stored/{quote(key)}" if key else "stored")

    def ask(self, method: str, what: str) -> dict[str, Any]:
        """Call one of the engine's own paths, below `/_traffic/`.

        Raises:
            EngineError: The engine does not answer, or failed.
        """
        import urllib.request  # noqa: PLC0415 - only a command that uses an engine needs it

        request = urllib.request.Request(f"{self.url}/_traffic/{what}", method=method)  # noqa: S310 - always http
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=900) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError) as exc:
            raise EngineError(f"the local engine (process {self.pid}) does not answer to {what}: {exc}") from exc


def isolated_session(access_key: str) -> "boto3.Session":
    """Return a boto3 session that reads no profile, file or environment variable of the user."""
    import boto3  # noqa: PLC0415 - a command that starts no engine needs no boto3
    import botocore.session  # noqa: PLC0415

    nothing = (None, None, None, None)
    variables = {"profile": nothing, "config_file": (None, None, os.devnull, None)}
    core = botocore.session.Session(session_vars={**variables, "credentials_file": (None, None, os.devnull, None)})
    core.set_credentials(access_key, "local")
    return boto3.Session(botocore_session=core, region_name=REGION)


@contextmanager
def running_engine(history: Path) -> Iterator[Engine]:
    """Yield the engine that runs on a history, or start one, and save and stop it afterwards.

    The engine ends with the process that started it, even if that process is killed. Otherwise that process first
    waits until the other commands that use its engine have ended. Ctrl-C reaches the command only, not the engine.

    Args:
        history: Folder of the history; it is created if it does not exist.

    Raises:
        EngineError: The engine did not start, or could not save; the message contains the end of its log.
    """
    folders = HistoryFolder(history.resolve())
    folders.prepare()
    while True:
        with folders.users.open("a") as users:
            fcntl.flock(users, fcntl.LOCK_SH)  # from now on, the command that started the engine waits for us
            engine = find_running(folders)
            if engine is not None:
                yield engine
                return
        process = launch(folders)
        try:
            engine = wait_until_ready(folders, process)
            if engine is None:
                continue  # another command was faster: use its engine
            yield engine
        finally:
            with only_one(folders.users) if engine else nullcontext():  # a second Ctrl-C ends this wait
                stop(process)
        if process.returncode > 0:
            raise EngineError(
                f"the local engine could not save its state; the end of {folders.log}:\n{tail(folders.log)}"
            )
        return


def find_running(folders: HistoryFolder) -> Engine | None:
    """Return the engine that runs on this history, or None; wait while an engine starts or stops.

    Raises:
        EngineError: An engine holds the lock for too long without an answer, or an earlier version started it.
    """
    give_up = time.monotonic() + START_TIMEOUT
    while is_locked(folders):
        status: dict[str, Any] = {}
        with suppress(EngineError, OSError, ValueError, KeyError):
            engine = read_running(folders)
            status = engine.status()
        if status.get("history") == str(folders.root):
            if "tables" not in status:
                raise EngineError(
                    f"a command of an earlier version still works with {folders.root} (its engine is process"
                    f" {engine.pid}): wait until it ends, or end it with Ctrl-C, then try again"
                )
            return engine
        if time.monotonic() > give_up:
            raise EngineError(f"an engine holds {folders.lock} but does not answer; see {folders.log}")
        time.sleep(0.05)
    return None


def is_locked(folders: HistoryFolder) -> bool:
    """Return whether an engine runs on this history: only a running process holds the lock."""
    with folders.lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def read_running(folders: HistoryFolder) -> Engine:
    """Read the address, process and key that the running engine wrote."""
    about = json.loads(folders.running.read_text())
    return Engine(f"http://127.0.0.1:{about['port']}", about["pid"], about["access_key"], folders.root)


def launch(folders: HistoryFolder) -> subprocess.Popen[bytes]:
    """Start the engine's process, with the environment variables that it needs and no others."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with folders.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", LAUNCHER, str(folders.root)],
            cwd=ROOT,
            env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C must reach the command only, which then stops the engine
        )


def wait_until_ready(folders: HistoryFolder, process: subprocess.Popen[bytes]) -> Engine | None:
    """Wait until the engine answers; return None if another engine locked the history first.

    Raises:
        EngineError: The engine ended, or did not answer in time.
    """
    give_up = time.monotonic() + START_TIMEOUT
    while (code := process.poll()) is None and time.monotonic() < give_up:
        with suppress(OSError, ValueError, KeyError, EngineError):
            engine = read_running(folders)
            if engine.pid == process.pid and engine.status():
                return engine
        time.sleep(0.02)
    if code == ALREADY_RUNNING:
        return None
    raise EngineError(f"the local engine did not start; the end of {folders.log}:\n{tail(folders.log)}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Close the engine's standard input, and wait until it has saved and ended."""
    stdin: IO[bytes] | None = process.stdin
    if stdin is not None:
        with suppress(OSError):
            stdin.close()
    process.wait()


def tail(log: Path) -> str:
    """Return what the last 15 lines of the engine's log say, without tracebacks."""
    return without_traceback("\n".join(log.read_text(errors="replace").splitlines()[-15:]))


def without_traceback(text: str) -> str:
    """Return the output of a program without its tracebacks."""
    noise = ("Traceback ", "  ", "\t", "During handling", "The above exception")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(noise)]
    return "\n".join(lines[-20:]) or text.strip()


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Wait until no other process holds the lock, then hold it; the kernel releases it if the process dies."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
