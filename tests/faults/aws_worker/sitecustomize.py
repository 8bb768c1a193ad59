"""Python loads this first in every function's process: it shortens timeouts, and ends the process on demand.

GitHub's client gives up after a fraction of its timeouts in AWS, and so does the SDK in the mood `hurry`; otherwise the
SDK keeps its timeouts, because the machine may be slow. In the moods `kill`, `hang` and `allocate` the process ends as
soon as a call to AWS breaks, before or after its side effect. A mood lasts while its file exists.
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

GITHUB_SECONDS = {"SILENCE_SECONDS": (1.0, 1.5), "CALL_SECONDS": 2.0}  # a tenth of those in `traffic.github.client`

FOLDER = Path(os.environ["MOODS"])  # the folder of the moods' files

import_module, send = importlib.import_module, httpsession.URLLib3Session.send


def sleep(seconds: float) -> None:
    """Wait a fraction of the time between two tries."""
    time.sleep(seconds * SDK_PAUSE_SCALE)


def send_and_hurry(session: Any, request: Any) -> Any:
    """Send a request of the SDK with the timeout of its mood: all connections share this object."""
    session._timeout._read = SDK_READ_TIMEOUT if mood("hurry") else 60
    return send(session, request)


def end(exception: BaseException | None = None, **_: Any) -> None:
    """End after a broken call, as the mood demands: by itself, or by the engine's limits."""
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
    """Return whether a mood lasts."""
    return (FOLDER / f"functions-{name}").exists()


def import_and_hurry(name: str, package: str | None = None) -> ModuleType:
    """Import the function's module, then shorten its timeouts for GitHub."""
    module = import_module(name, package)
    github = sys.modules.get("traffic.github.client")
    if name.endswith(".handler") and github is not None:  # others also import in this way
        github.SILENCE_SECONDS = GITHUB_SECONDS["SILENCE_SECONDS"]  # type: ignore[attr-defined]
        github.GitHub.__init__.__kwdefaults__["call_seconds"] = GITHUB_SECONDS["CALL_SECONDS"]
    return module


os.environ["_LAMBDA_TIMEOUT"] = os.environ["BELIEVED_TIMEOUT"]
endpoint.time = SimpleNamespace(sleep=sleep)  # type: ignore[attr-defined]
httpsession.URLLib3Session.send = send_and_hurry  # type: ignore[assignment,method-assign]
handlers.BUILTIN_HANDLERS.append(("response-received", end))
importlib.import_module = import_and_hurry
