"""Python loads this first in every function's process: its patience, scaled as the engine's waits are, and its death.

GitHub's client gives up as it does in AWS, in a fraction of the time; so does the SDK in the mood `hurry`, and
otherwise it is as patient as there, as the machine may be slow. In the moods `kill`, `hang` and `allocate` the process
ends as soon as a call to AWS breaks off: before its side effect or after it, as the proxy had the call arrive or not.
A mood lasts while its file exists.
"""

import importlib
import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from botocore import endpoint, handlers, httpsession

SDK_READ_TIMEOUT = float(os.environ["SDK_READ_TIMEOUT"])  # seconds, in a hurry; in AWS a minute

SDK_PAUSE_SCALE = 0.002  # of the SDK's pauses between two tries

GITHUB_SECONDS = {"SILENCE_SECONDS": (1.0, 1.5), "CALL_SECONDS": 2.0}  # a tenth of what `traffic.github.client` says

FOLDER = Path(os.environ["MOODS"])  # where the moods' files are

import_module, send = importlib.import_module, httpsession.URLLib3Session.send


def sleep(seconds: float) -> None:
    """Wait a fraction of the time between two tries."""
    time.sleep(seconds * SDK_PAUSE_SCALE)


def send_and_hurry(session: Any, request: Any) -> Any:
    """Send a request of the SDK's, with the patience of the moment: all its connections share this object."""
    session._timeout._read = SDK_READ_TIMEOUT if mood("hurry") else 60
    return send(session, request)


def die(exception: BaseException | None = None, **_: Any) -> None:
    """End where a call broke off, in the way that the case is about: by itself, or by the engine's hand."""
    if exception is None:
        return
    if mood("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    kept = []
    while mood("hang") or mood("allocate"):
        time.sleep(0.01)
        if mood("allocate"):
            kept.append(b"x" * 8_000_000)


def mood(name: str) -> bool:
    """Whether a mood lasts."""
    return (FOLDER / f"functions-{name}").exists()


def import_and_hurry(name: str, package: str | None = None) -> ModuleType:
    """Import the function's module, then take some of its patience with GitHub."""
    module = import_module(name, package)
    github = sys.modules.get("traffic.github.client")
    if name.endswith(".handler") and github is not None:  # others import in this way too, midway
        github.SILENCE_SECONDS = GITHUB_SECONDS["SILENCE_SECONDS"]  # type: ignore[attr-defined]
        github.GitHub.__init__.__kwdefaults__["call_seconds"] = GITHUB_SECONDS["CALL_SECONDS"]
    return module


os.environ["_LAMBDA_TIMEOUT"] = os.environ["BELIEVED_TIMEOUT"]
endpoint.time = SimpleNamespace(sleep=sleep)  # type: ignore[attr-defined]
httpsession.URLLib3Session.send = send_and_hurry  # type: ignore[assignment,method-assign]
handlers.BUILTIN_HANDLERS.append(("response-received", die))
importlib.import_module = import_and_hurry
