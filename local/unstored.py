"""Which archive objects the tables may lack: those that no function has stored since they were written."""

# ruff: noqa: SLF001 - ministack has no public functions for this

import functools
from typing import Any

from ministack.services import lambda_svc, s3

from local.history_folder import MERGED


class Unstored:
    """The answers and imports that were written since the engine started, and not stored yet."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}  # by key, the time at which it was written

    def watch(self) -> None:
        """Watch the objects that are written, and the functions that store them; once, after all cures."""
        persist, execute = s3._persist_object, lambda_svc._execute_function_warm

        @functools.wraps(persist)
        def add_and_persist(bucket: str, key: str, obj: Any) -> None:
            if key.startswith(MERGED):
                self._written[key] = obj["last_modified"]
            persist(bucket, key, obj)

        @functools.wraps(execute)
        def execute_and_remove(function: Any, event: Any, *arguments: Any) -> Any:
            result = execute(function, event, *arguments)
            # Store traffic returns nothing; other functions with the same event, and failed ones, return something.
            if result.get("body") is None and isinstance(event, dict) and isinstance(event.get("batch"), dict):
                self._written.pop(event["batch"].get("key"), None)
            return result

        s3._persist_object, lambda_svc._execute_function_warm = add_and_persist, execute_and_remove

    def forget(self, key: str) -> None:
        """Forget one object: a command has stored it."""
        self._written.pop(key, None)

    def clear(self) -> None:
        """Forget them: a rebuild has stored them, which no function did."""
        self._written.clear()

    def first(self) -> str | None:
        """Return when the first of them was written; None if all are stored."""
        return min(self._written.values(), default=None)
