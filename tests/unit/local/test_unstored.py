"""Which archive objects no function has stored yet."""

import importlib
from typing import Any

import pytest

ERROR = {"body": {"errorMessage": "busy", "errorType": "TableBusyError"}, "error": True}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`local.unstored`: importing ministack writes a key into its state folder, which must be ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIR", str(tmp_path_factory.mktemp("state")))
        return importlib.import_module("local.unstored")


def test_an_object_counts_as_stored_once_a_function_stored_it(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects of a failed function, and of one that never ran, are stored by the next engine."""
    results = [ERROR, {"body": {"key": "answers/2"}}, {"body": None, "log": ""}]
    written: list[str] = []
    monkeypatch.setattr(module.s3, "_persist_object", lambda _bucket, key, _object: written.append(key))
    monkeypatch.setattr(module.lambda_svc, "_execute_function_warm", lambda *_: results.pop(0))
    unstored = module.Unstored()
    unstored.watch()

    for key, second in (("answers/2", 2), ("imports/1", 1), ("runs/0", 0)):
        module.s3._persist_object("archive", key, {"last_modified": f"2026-11-20T09:00:0{second}.000Z"})
    assert written == ["answers/2", "imports/1", "runs/0"]
    assert unstored.first() == "2026-11-20T09:00:01.000Z"

    invoke = module.lambda_svc._execute_function_warm
    for _ in range(2):
        invoke({}, {"batch": {"key": "imports/1"}}, "request")
    assert unstored.first() == "2026-11-20T09:00:01.000Z"
    invoke({}, {"batch": {"key": "imports/1"}}, "request")
    assert unstored.first() == "2026-11-20T09:00:02.000Z"


def test_nothing_is_unstored_at_first(module: Any) -> None:
    """What an earlier engine left unstored is known by its time."""
    assert module.Unstored().first() is None
