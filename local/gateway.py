"""The engine's process, once its environment is set: ministack with our cures, and a few paths of our own.

On the port of the AWS APIs it also answers:

- `GET /_traffic/engine`: the history's folder, the file of its tables and, in `recovered`, whether they contain the
  complete archive.
- `POST /_traffic/recovered`: the caller has stored everything that an earlier engine did not save.
- `GET /_traffic/mail`: the e-mails that ask to confirm an SNS subscription, as `to` and `link`; none is delivered.
- `POST /_traffic/stored`, `POST /_traffic/stored/KEY`: the caller has stored all archive objects so far, or this one.
- `POST /_traffic/save`: saves the state now, and answers when it is on disk.
"""

# ruff: noqa: SLF001 - ministack has no public functions for its state

import functools
import gc
import json
import logging
import os
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from ministack import app as ministack
from ministack.core import lambda_runtime, persistence
from ministack.services import dynamodb, lambda_svc

from local.cures import apply_cures
from local.cures.sns import confirmation_mails
from local.history_folder import HistoryFolder, read_marker, write_generation
from local.stored_items import EngineTables
from local.takeover import begin_tables
from local.unstored import Unstored

logger = logging.getLogger("local.gateway")

STORED = "/_traffic/stored/"
TRIES = 5  # a running execution may change while it is saved


class Gateway:
    """ASGI application: ministack, and our own paths.

    Args:
        history: The history that it serves.
        tables: The tables of the history.
        unstored: The archive objects that they may lack.
    """

    def __init__(self, history: HistoryFolder, tables: EngineTables, unstored: Unstored) -> None:
        self.history, self.tables, self.unstored = history, tables, unstored
        self.stored_until = read_marker(history).stored_until
        self.recovered = False
        # ministack's own save at the end ignores failures; ours follows it.
        ministack.save_all = lambda _services: None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer our own paths; ministack answers all others."""
        if scope["type"] == "lifespan":
            await ministack.app(scope, receive, freeze_after_load(send))
            return
        if scope["type"] != "http" or not scope["path"].startswith("/_traffic/"):
            await ministack.app(scope, receive, send)
            return
        status, content = self.answer(scope["method"], scope["path"])
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(content).encode()})

    def answer(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        """Answer one of our own paths with an HTTP status and an object."""
        match (method, path):
            case ("GET", "/_traffic/engine"):
                pass
            case ("GET", "/_traffic/mail"):
                return 200, {"mail": confirmation_mails()}
            case ("POST", "/_traffic/recovered"):
                self.recovered = True
            case ("POST", "/_traffic/stored"):
                self.unstored.clear()
            case ("POST", "/_traffic/save"):
                self.save()
            case ("POST", _) if path.startswith(STORED):
                self.unstored.forget(path.removeprefix(STORED))
            case _:
                return 404, {"message": f"{method} {path} is not known here"}
        places = {"history": str(self.history.root), "tables": str(self.history.tables)}
        return 200, {"pid": os.getpid(), **places, "recovered": self.recovered, "stored_until": self.stored_until}

    def save(self, *, ends: bool = False) -> None:
        """Write the state as a new generation; if that fails, the last one stays valid and the error is raised.

        It runs on the event loop, so no request changes the state meanwhile.

        Args:
            ends: Whether the engine ends, so that nothing follows.
        """
        began = time.monotonic()
        stored_until = self.stored_before(datetime.now(UTC))
        self.tables.flush()  # before a power cut can find the new time on disk
        complete = ends and self.recovered and self.unstored.first() is None
        write_generation(self.history, stored_until, write_services, complete=complete)
        self.stored_until = stored_until
        logger.info("saved the state in %.1f s", time.monotonic() - began)

    def stored_before(self, now: datetime) -> str | None:
        """Return until when the archive is in the tables: now or, if objects are not stored yet, the first of them."""
        if not self.recovered:
            return self.stored_until
        return min(self.unstored.first() or "~", now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z")


def freeze_after_load(send: Any) -> Any:
    """Exclude the loaded state from garbage collection: it contains the events of 90 days of executions."""

    async def send_and_freeze(message: Any) -> None:
        if message["type"] == "lifespan.startup.complete":
            gc.freeze()
            gc.set_threshold(20_000, 20, 20)  # a call makes thousands of short-lived objects
            gc.enable()
        await send(message)

    return send_and_freeze


def write_services(folder: Path) -> None:
    """Write the state of every service that was used, and the functions' code, into a folder."""
    persistence.STATE_DIR = str(folder)
    lambda_svc.CODE_BLOB_DIR = str(folder / "lambda-blobs")
    for name, get_state in ministack._build_persistence_save_dict().items():
        for tries_left in reversed(range(TRIES)):
            try:
                write_service(folder, name, get_state())
                break
            except RuntimeError:
                if not tries_left:
                    raise


def write_service(folder: Path, name: str, state: Any) -> None:
    """Write one service's state if it has any.

    ministack's own `save_state` only logs a failure, and uses Python's slow encoder.
    """
    if state is None:
        return
    content = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
    (folder / f"{name}.json").write_text(json.dumps(content, default=persistence._json_default))


def check_syntax_once() -> None:
    """Keep what DynamoDB's check of an expression found: it does not depend on the item.

    ministack checks a key condition again for each item of the partition, which is half the time of a query.
    """
    dynamodb._condition_syntax_error = functools.lru_cache(dynamodb._condition_syntax_error)
    split = functools.lru_cache(dynamodb._tokenize)
    dynamodb._tokenize = lambda expression: list(split(expression))


def serve_history(history: HistoryFolder, listener: socket.socket) -> None:
    """Serve until the parent ends or closes our standard input, then save and return.

    Args:
        history: The history to load and to save to.
        listener: A bound socket; ministack reads its port from the environment.
    """
    tables, unstored = begin_tables(history), Unstored()
    apply_cures(history, tables)
    unstored.watch()
    check_syntax_once()
    gateway = Gateway(history, tables, unstored)
    config = uvicorn.Config(
        gateway,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        date_header=False,  # ministack writes one; with two, an AWS SDK computes a wrong clock
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    gc.disable()  # until the history is loaded
    uvloop.run(run_until_orphaned(gateway, uvicorn.Server(config), listener))
    lambda_runtime.reset()
    tables.close()


async def run_until_orphaned(gateway: Gateway, server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until standard input ends: the kernel closes the parent's end of it, even if the parent is killed."""

    def wait_for_end() -> None:
        while sys.stdin.buffer.read(1):
            pass
        server.should_exit = True

    threading.Thread(target=wait_for_end, daemon=True).start()
    await server.serve([listener])
    if not server.started:
        raise RuntimeError("ministack did not load its state; the state on disk is kept")
    gateway.save(ends=True)
