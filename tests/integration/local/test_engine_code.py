"""The unpacked code of functions: all processes share it, and an update replaces it."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from local.engine import Engine, running_engine
from local.history_folder import HistoryFolder
from tests.integration.engine_stack import deploy_small


def call(engine: Engine, function: str) -> Any:
    """Call a function, and return its result."""
    return json.load(engine.client("lambda").invoke(FunctionName=function)["Payload"])


def unpacked(history: Path) -> list[Path]:
    """Return the folders of unpacked code."""
    return sorted(HistoryFolder(history).functions.iterdir())


def test_all_functions_of_one_zip_share_its_unpacked_and_compiled_code(tmp_path: Path) -> None:
    """Compiling takes most of a function's start; the next start of the engine uses the compiled files."""
    history = tmp_path / "history"
    with running_engine(history) as engine:
        outputs = deploy_small(engine, tmp_path)
        for name in ("EndFunction", "EnvironmentFunction"):
            engine.client("lambda").invoke(FunctionName=outputs[name], Payload=b'{"how": "return"}')
        (folder,) = unpacked(history)
        (compiled,) = (folder / "__pycache__").glob("handlers.*.pyc")
        written = compiled.stat().st_mtime_ns
    with running_engine(history) as engine:
        assert call(engine, outputs["EnvironmentFunction"])["GREETING"] == "hello"

    assert unpacked(history) == [folder]
    assert compiled.stat().st_mtime_ns == written


def test_an_update_runs_its_own_code_and_the_old_code_is_deleted(tmp_path: Path) -> None:
    """Old code must never run after an update."""
    history = tmp_path / "history"
    with running_engine(history) as engine:
        name = deploy_small(engine, tmp_path)["EnvironmentFunction"]
        assert isinstance(call(engine, name), dict)
        engine.client("lambda").update_function_code(FunctionName=name, ZipFile=zipped("return 'the new code'"))
        assert call(engine, name) == "the new code"
        assert len(unpacked(history)) == 2
    with running_engine(history) as engine:
        assert call(engine, name) == "the new code"

    assert len(unpacked(history)) == 1


def zipped(statement: str) -> bytes:
    """Return the zip of a handler with one statement."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handlers.py", f"def environment(event, context):\n    {statement}\n")
    return content.getvalue()
