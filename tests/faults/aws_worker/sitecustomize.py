"""Python loads this first in every function's process: its patience, scaled as the engine's waits are, and its death.

The SDK gives up as it does in AWS, and GitHub's client too, in a fraction of the time. Where the file `DEATH_FILE`
exists, the process is killed as soon as a call to AWS breaks off: before its side effect or after it, as the proxy had
the call arrive or not.
"""

import importlib
import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from botocore import endpoint, handlers
from botocore.config import Config

SDK_READ_TIMEOUT = float(os.environ["SDK_READ_TIMEOUT"])  # seconds; in AWS a minute

SDK_PAUSE_SCALE = 0.002  # of the SDK's pauses between two tries

GITHUB_SECONDS = {"SILENCE_SECONDS": (1.0, 1.5), "CALL_SECONDS": 2.0}  # a tenth of what `lambdas.shared.github` says

DEATH_FILE = Path(os.environ["DEATH_FILE"])

import_module = importlib.import_module


def sleep(seconds: float) -> None:
    """Wait a fraction of the time between two tries."""
    time.sleep(seconds * SDK_PAUSE_SCALE)


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
Config.OPTION_DEFAULTS["read_timeout"] = SDK_READ_TIMEOUT  # type: ignore[assignment]
handlers.BUILTIN_HANDLERS.append(("response-received", die))
importlib.import_module = import_and_hurry
