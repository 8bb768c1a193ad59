"""The engine's own paths, its saves and its environment, without starting an engine."""

import asyncio
import importlib
import io
import json
import os
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import launcher
from local.history_folder import ALREADY_RUNNING, HistoryFolder, read_marker
from local.stored_items import EngineTables

NOW = datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`local.gateway`: importing ministack writes a key into its state folder, which must be ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIR", str(tmp_path_factory.mktemp("state")))
        return importlib.import_module("local.gateway")


@pytest.fixture
def history(tmp_path: Path) -> HistoryFolder:
    """A new history."""
    made = HistoryFolder(tmp_path / "history")
    made.prepare()
    return made


@pytest.fixture
def gateway(module: Any, history: HistoryFolder, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A gateway whose services have a small state."""
    state = {"s3": lambda: {"buckets": 1}, "unused": lambda: None}
    monkeypatch.setattr(module.ministack, "save_all", module.ministack.save_all)
    monkeypatch.setattr(module.ministack, "_build_persistence_save_dict", lambda: state)
    monkeypatch.setattr(module.persistence, "STATE_DIR", "")
    monkeypatch.setattr(module.lambda_svc, "CODE_BLOB_DIR", "")
    return gateway_of(module, history)


def gateway_of(module: Any, history: HistoryFolder) -> Any:
    """Return a gateway to a history."""
    return module.Gateway(history, EngineTables(history.tables), module.Unstored())


def test_the_status_contains_process_history_and_recovery(gateway: Any, history: HistoryFolder) -> None:
    """A command compares the history before it uses the engine."""
    places = {"history": str(history.root), "tables": str(history.tables)}
    about = {"pid": os.getpid(), **places, "recovered": False, "stored_until": None}

    assert gateway.answer("GET", "/_traffic/engine") == (200, about)
    assert gateway.answer("POST", "/_traffic/recovered") == (200, {**about, "recovered": True})
    assert gateway.answer("GET", "/_traffic/engine") == (200, {**about, "recovered": True})


@pytest.mark.parametrize(("method", "path"), [("POST", "/_traffic/engine"), ("GET", "/_traffic/save")])
def test_an_unknown_path_is_answered_with_404(gateway: Any, method: str, path: str) -> None:
    """The message contains the request."""
    assert gateway.answer(method, path) == (404, {"message": f"{method} {path} is not known here"})


def test_mails_are_those_that_sns_would_send(gateway: Any, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is delivered here, so a command shows the link."""
    monkeypatch.setattr(module, "confirmation_mails", lambda: [{"to": "a@b.c", "link": "https://x"}])

    assert gateway.answer("GET", "/_traffic/mail") == (200, {"mail": [{"to": "a@b.c", "link": "https://x"}]})


def test_a_save_writes_a_generation(
    gateway: Any, module: Any, history: HistoryFolder, caplog: pytest.LogCaptureFixture
) -> None:
    """Each service in a file of its own; its time only counts after a recovery."""
    caplog.set_level("INFO", "local.gateway")

    status, first = gateway.answer("POST", "/_traffic/save")
    gateway.answer("POST", "/_traffic/recovered")
    _, second = gateway.answer("POST", "/_traffic/save")

    folder = history.engine / "state-000002"
    content = json.loads((folder / "s3.json").read_text())
    assert (status, first["stored_until"]) == (200, None)
    assert read_marker(history).stored_until == second["stored_until"] != None  # noqa: E711 - a chain
    assert content["payload"] == {"buckets": 1}
    assert content["__ministack_format__"] == module.persistence._state_format_version("s3")
    assert [path.name for path in folder.iterdir()] == ["s3.json"]
    assert (str(folder), f"{folder}/lambda-blobs") == (module.persistence.STATE_DIR, module.lambda_svc.CODE_BLOB_DIR)
    assert "saved the state in 0." in caplog.text


def test_the_archive_is_stored_until_the_first_object_that_is_not(gateway: Any) -> None:
    """A later engine stores it, and those that follow."""
    gateway.recovered = True
    assert gateway.stored_before(NOW) == "2026-11-20T09:00:00.123Z"

    gateway.unstored._written = {"answers/b": "2026-11-20T08:59:59.000Z", "answers/a": "2026-11-20T08:00:00.000Z"}
    assert gateway.stored_before(NOW) == "2026-11-20T08:00:00.000Z"


def test_tables_are_complete_if_everything_is_stored_when_the_engine_ends(gateway: Any, history: HistoryFolder) -> None:
    """Only then may others read them without an engine."""
    gateway.save(ends=True)
    assert not read_marker(history).complete  # nothing is known of earlier objects

    gateway.recovered = True
    gateway.save()
    assert not read_marker(history).complete  # this engine may still archive something

    gateway.unstored._written = {"answers/a": "2026-11-20T08:00:00.000Z"}
    gateway.save(ends=True)
    assert not read_marker(history).complete

    assert gateway.answer("POST", "/_traffic/stored")[0] == 200  # as after a rebuild, which invokes no function
    gateway.save(ends=True)
    assert read_marker(history).complete


def test_before_a_recovery_the_time_of_the_last_save_stays(module: Any, history: HistoryFolder) -> None:
    """Objects written since then are still missing from the tables."""
    history.marker.write_text(json.dumps({"generation": "state-000001", "stored_until": "2026-11-01T00:00:00.000Z"}))

    assert gateway_of(module, history).stored_before(NOW) == "2026-11-01T00:00:00.000Z"


def test_a_state_that_changes_during_the_save_is_read_again(
    gateway: Any, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running execution adds events meanwhile; five attempts are made."""
    failures = [RuntimeError("dictionary changed size")] * 4

    def changing() -> dict[str, int]:
        if failures:
            raise failures.pop()
        return {"events": 2}

    monkeypatch.setattr(module.ministack, "_build_persistence_save_dict", lambda: {"stepfunctions": changing})
    module.write_services(tmp_path)
    assert json.loads((tmp_path / "stepfunctions.json").read_text())["payload"] == {"events": 2}

    failures.extend([RuntimeError("dictionary changed size")] * 5)
    with pytest.raises(RuntimeError, match="changed size"):
        gateway.save()


def test_ministacks_own_save_does_nothing(gateway: Any, module: Any) -> None:
    """It ignores failures."""
    assert gateway is not None
    assert module.ministack.save_all({"s3": None}) is None


async def receive() -> None:
    """Receive nothing."""


@pytest.mark.parametrize(
    ("scope", "own"),
    [
        ({"type": "http", "method": "GET", "path": "/_traffic/engine"}, True),
        ({"type": "http", "method": "GET", "path": "/bucket/_traffic/engine"}, False),
        ({"type": "websocket", "path": "/_traffic/engine"}, False),
    ],
)
def test_only_our_own_paths_are_answered_here(
    gateway: Any, module: Any, monkeypatch: pytest.MonkeyPatch, scope: Any, own: bool
) -> None:
    """All others belong to the AWS APIs."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(*_: Any) -> None:
        sent.append("ministack")

    monkeypatch.setattr(module.ministack, "app", app)
    asyncio.run(gateway(scope, receive, send))

    if own:
        start, body = sent
        assert (start["status"], start["headers"]) == (200, [(b"content-type", b"application/json")])
        assert json.loads(body["body"])["pid"] == os.getpid()
    else:
        assert sent == ["ministack"]


def test_the_loaded_history_is_frozen_once_it_is_complete(
    gateway: Any, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The garbage collector is off during the load, and on afterwards."""
    calls: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.progress"})
        calls.append("loaded")
        await send({"type": "lifespan.startup.complete"})

    async def send(message: Any) -> None:
        calls.append(message["type"])

    monkeypatch.setattr(module.ministack, "app", app)
    monkeypatch.setattr(module.gc, "freeze", lambda: calls.append("freeze"))
    monkeypatch.setattr(module.gc, "enable", lambda: calls.append("enable"))
    asyncio.run(gateway({"type": "lifespan"}, receive, send))

    assert calls == ["lifespan.startup.progress", "loaded", "freeze", "enable", "lifespan.startup.complete"]


def test_ministack_is_kept_off_the_network_and_the_users_configuration(
    history: HistoryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each variable is read while ministack is imported."""
    environment = {"TRAFFIC_WAIT_SCALE": "0.02", "PATH": "/bin"}
    monkeypatch.setattr(os, "environ", environment)

    launcher.set_environment(history, 4566)

    assert environment == {
        "PATH": "/bin",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": "4566",
        "TMPDIR": str(history.scratch),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(history.engine / "state-000000"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(history.objects),
        "SFN_WAIT_SCALE": "0.02",
        "AUTH": "true",
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": "unix:///nonexistent",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    del environment["SFN_WAIT_SCALE"]
    launcher.set_environment(history, 4566)
    assert environment["SFN_WAIT_SCALE"] == "1"


def test_the_exit_code_of_a_second_engine_differs_from_any_failure() -> None:
    """`local.engine` then uses the first one."""
    assert ALREADY_RUNNING == os.EX_TEMPFAIL == 75


def serve(module: Any, history: HistoryFolder, monkeypatch: pytest.MonkeyPatch, *, started: bool) -> list[Any]:
    """Serve with a server that does nothing until it is asked to end; return the steps until then, and after."""
    steps: list[Any] = []

    class Server:
        should_exit = False

        def __init__(self, config: Any) -> None:
            self.started, self.config = started, config

        async def serve(self, sockets: list[Any]) -> None:
            steps.append((sockets, self.config.lifespan, self.config.timeout_keep_alive))
            monkeypatch.setattr(self.config.app, "save", lambda *, ends: steps.append(("saved", ends)))
            while not self.should_exit:  # noqa: ASYNC110 - a thread sets it
                await asyncio.sleep(0.001)
            steps.append("ended")

    monkeypatch.setattr(module, "apply_cures", lambda of, tables: steps.append((of, tables.path)))
    monkeypatch.setattr(module.Unstored, "watch", lambda _: steps.append("watched"))
    monkeypatch.setattr(module, "check_syntax_once", lambda: None)
    monkeypatch.setattr(module.uvicorn, "Server", Server)
    monkeypatch.setattr(module.gc, "disable", lambda: steps.append("collector off"))
    monkeypatch.setattr(module.lambda_runtime, "reset", lambda: steps.append("functions ended"))
    monkeypatch.setattr(module.ministack, "save_all", None)
    monkeypatch.setattr(module.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"ignored")))
    with nullcontext() if started else pytest.raises(RuntimeError, match="the state on disk is kept"):
        module.serve_history(history, "listener")
    return steps


def test_the_engine_serves_until_its_standard_input_ends_then_saves(
    module: Any, history: HistoryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions end last."""
    steps = serve(module, history, monkeypatch, started=True)

    serving = (["listener"], "on", 75)
    begun = [(history, history.tables), "watched", "collector off"]
    assert steps == [*begun, serving, "ended", ("saved", True), "functions ended"]


def test_an_engine_that_could_not_load_its_state_does_not_save(
    module: Any, history: HistoryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise an incomplete state would replace the complete one."""
    assert ("saved", True) not in serve(module, history, monkeypatch, started=False)


def test_the_syntax_of_a_condition_is_checked_once_for_all_items(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a query over a long history mostly checks the same text again. The result is the same."""
    checked: list[str] = []
    check, split = module.dynamodb._condition_syntax_error, module.dynamodb._tokenize

    def count(text: str, slot: object) -> object:
        checked.append(text)
        return check(text, slot)

    monkeypatch.setattr(module.dynamodb, "_condition_syntax_error", count)
    monkeypatch.setattr(module.dynamodb, "_tokenize", split)

    module.check_syntax_once()
    found = [
        module.dynamodb._evaluate_condition("#day >= :day", {"day": {"S": day}}, {":day": {"S": "b"}}, {"#day": "day"})
        for day in ("a", "b", "c")
    ]

    assert found == [False, True, True]
    assert checked == ["#day >= :day"]
    tokens = module.dynamodb._tokenize("#day >= :day")
    assert tokens == split("#day >= :day")
    assert module.dynamodb._tokenize("#day >= :day") is not tokens
