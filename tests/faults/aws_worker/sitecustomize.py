"""Python loads this first in every function's process: its patience, scaled as the engine's waits are, and its death.

GitHub's client gives up as it does in AWS, in a fraction of the time; so does the SDK while the file `HURRY_FILE`
exists, and else it is as patient as there, as the machine may be slow. While the file `DEATH_FILE` exists, the process
is killed as soon as a call to AWS breaks off: before its side effect or after it, as the proxy had the call arrive or
not.
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

GITHUB_SECONDS = {"SILENCE_SECONDS": (1.0, 1.5), "CALL_SECONDS": 2.0}  # a tenth of what `lambdas.shared.github` says

DEATH_FILE = Path(os.environ["DEATH_FILE"])

HURRY_FILE = Path(os.environ["HURRY_FILE"])

import_module, send = importlib.import_module, httpsession.URLLib3Session.send


def sleep(seconds: float) -> None:
    """Wait a fraction of the time between two tries."""
    time.sleep(seconds * SDK_PAUSE_SCALE)


def send_and_hurry(session: Any, request: Any) -> Any:
    """Send a request of the SDK's, with the patience of the moment: all its connections share this object."""
    session._timeout._read = SDK_READ_TIMEOUT if HURRY_FILE.exists() else 60
    return send(session, request)


def die(exception: BaseException | None = None, **_: Any) -> None:
    """Be killed, as by the kernel when memory runs out, where a call broke off and the case is about that."""
    if exception is not None and DEATH_FILE.exists():
        os.kill(os.getpid(), signal.SIGKILL)


def import_and_hurry(name: str, package: str | None = None) -> ModuleType:
    """Import the function's module, then take some of its patience with GitHub."""
    module = import_module(name, package)
    github = sys.modules.get("lambdas.shared.github")
    if name.endswith(".handler") and github is not None:  # others import in this way too, midway
        github.SILENCE_SECONDS = GITHUB_SECONDS["SILENCE_SECONDS"]  # type: ignore[attr-defined]
        github.GitHub.__init__.__kwdefaults__["call_seconds"] = GITHUB_SECONDS["CALL_SECONDS"]
    return module


endpoint.time = SimpleNamespace(sleep=sleep)  # type: ignore[attr-defined]
httpsession.URLLib3Session.send = send_and_hurry  # type: ignore[assignment,method-assign]
handlers.BUILTIN_HANDLERS.append(("response-received", die))
importlib.import_module = import_and_hurry
