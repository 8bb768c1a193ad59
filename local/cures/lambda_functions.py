"""Where ministack's Lambda differs from AWS."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.cures.errors import CureOutdatedError

EXCEPTION = "\x00"  # before an exception's class name, on its way out of a function


def name_lambda_errors() -> None:
    """Report a function's exception under its class name, so that `ErrorEquals` matches it, and keep the worker.

    ministack: every exception of a Python function is `Runtime.HandlerError`, and ends the process that raised it.
    AWS: `errorType` is the class name, and Step Functions takes it as the error's name; the next call finds the
    environment warm. Here, the worker says that all is well, and the exception is told as the result.

    Source:
        https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    said = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
    told = '{"errorMessage": str(e), "errorType": chr(0) + type(e).__name__, "trace": traceback.print_exc()}'
    if lambda_runtime._PYTHON_WORKER_SCRIPT.count(said) != 1:
        raise CureOutdatedError("ministack's Python worker reports exceptions differently")
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        said, f'{{"status": "ok", "result": {told}}}'
    )
    execute = lambda_svc._execute_function_warm

    @functools.wraps(execute)
    def execute_and_name(*arguments: Any, **options: Any) -> dict[str, Any]:
        return with_error_name(execute(*arguments, **options))

    lambda_svc._execute_function_warm = execute_and_name


def with_error_name(result: dict[str, Any]) -> dict[str, Any]:
    """Make an error of what our worker told as a result, the class name after a mark that no class has."""
    body = result.get("body")
    if not isinstance(body, dict) or not str(body.get("errorType", "")).startswith(EXCEPTION):
        return result
    name = body["errorType"].removeprefix(EXCEPTION)
    return {**result, "body": {"errorMessage": body["errorMessage"], "errorType": name}, "error": True}
