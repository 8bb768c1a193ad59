"""Where ministack 1.5.33 differs from AWS in ways that matter here, and how that is put right.

Each cure says what ministack does and what AWS does. All are patches of a pinned version; each makes sure that
what it patches is still there, and has a test.
"""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import copy
import functools
import json
import os
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime, persistence, responses
from ministack.services import cloudformation, dynamodb, lambda_svc, s3, stepfunctions
from ministack.services.cloudformation import provisioners

EXCEPTION = "\x00"  # before an exception's class name, on its way out of a function

TABLE_ITEMS = "dynamodb-items.jsonl"

KEPT_EXECUTIONS = timedelta(days=90)


def apply_cures() -> None:
    """Apply every cure to the ministack of this process, once, before it serves."""
    name_lambda_errors()
    honour_retry_fields()
    hide_no_echo_values()
    refuse_unwritten_objects()
    stream_table_items()
    forget_old_executions()
    adopt_existing_buckets()
    tell_states_of_children()


class CureOutdatedError(RuntimeError):
    """This ministack is not the one that the cures were written for: install the pinned version."""


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


def honour_retry_fields() -> None:
    """Let a retrier's `MaxDelaySeconds` and `JitterStrategy` count.

    ministack: waits `IntervalSeconds * BackoffRate ** retries`, at most 60 s.
    AWS: at most `MaxDelaySeconds`; with `FULL` jitter, a random time between 0 and that.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    find = stepfunctions._find_matching_retrier

    @functools.wraps(find)
    def find_with_delay(
        retriers: list[Any], error: str, counts: Mapping[int, int]
    ) -> tuple[dict[str, Any] | None, int]:
        retrier, index = find(retriers, error, counts)
        if retrier is None:
            return None, index
        delay = retry_delay(retrier, counts.get(index, 0))
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1.0}, index

    stepfunctions._find_matching_retrier = find_with_delay


def retry_delay(
    retrier: Mapping[str, Any], retries: int, *, chance: Callable[[float, float], float] = random.uniform
) -> float:
    """Say how long AWS waits before the next try, in seconds.

    Args:
        retrier: One entry of a state's `Retry`.
        retries: How many retries it made already.
        chance: Draws a number between two others.
    """
    delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retries
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    return chance(0.0, delay) if retrier.get("JitterStrategy") == "FULL" else float(delay)


def hide_no_echo_values() -> None:
    """Keep the values of NoEcho parameters out of `cloudformation.json`.

    ministack: saves them with the stack, its change sets and the properties of its resources, in clear text.
    AWS: shows them nowhere. What is saved here is `****`, so the next deployment has to bring the value along.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
    """
    get_state = cloudformation.get_state
    cloudformation.get_state = lambda: without_no_echo(get_state())


def without_no_echo(state: Any) -> Any:
    """Replace every value that a NoEcho parameter holds, wherever in the state it stands."""
    plain = json.loads(json.dumps(state, default=persistence._json_default))
    secrets = sorted(no_echo_values(plain), key=len, reverse=True)

    def hidden(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: hidden(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [hidden(inner) for inner in value]
        if isinstance(value, str):
            return functools.reduce(lambda text, secret: text.replace(secret, "****"), secrets, value)
        return value

    return hidden(plain)


def no_echo_values(state: Any) -> set[str]:
    """Collect what NoEcho parameters hold; ministack marks them beside the value."""
    if isinstance(state, list):
        return set().union(*map(no_echo_values, state))
    if not isinstance(state, dict):
        return set()
    values = {state.get("Value"), state.get("ParameterValue")} if state.get("NoEcho") is True else set()
    found = {value for value in values if isinstance(value, str) and value}
    return found.union(*map(no_echo_values, state.values()))


def refuse_unwritten_objects() -> None:
    """Answer a PutObject with success only when the object is on disk.

    ministack: logs that it could not write the object, and answers 200; what it wrote may still be in the
    machine's memory.
    AWS: a 200 means that the object is kept.

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/DataDurability.html
    """
    write, persist = s3._atomic_write, s3._persist_object

    @functools.wraps(write)
    def write_through(path: str, data: Any, *, text: bool = False) -> None:
        write(path, data, text=text)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @functools.wraps(persist)
    def persist_or_raise(bucket: str, key: str, obj: Any) -> None:
        persist(bucket, key, obj)
        path = s3._object_disk_path(bucket, key)
        if path is None or not Path(path).is_file() or (isinstance(obj, dict) and obj.get("body") is not None):
            raise OSError(f"could not write {bucket}/{key} to disk")

    s3._atomic_write, s3._persist_object = write_through, persist_or_raise


def stream_table_items() -> None:
    """Save and load a table's items line by line, in a file of their own.

    ministack: copies every item, then writes all through Python's slow encoder, in 7.5 s and 0.8 GB for 200,000.
    AWS: keeps tables of any size. Here a line is a partition, encoded by the fast encoder, without a copy.
    """
    get_state, load = dynamodb.get_state, dynamodb.load_persisted_state

    def get_and_stream() -> Any:
        tables = {key: table["items"] for key, table in dynamodb._tables._data.items()}
        with Path(persistence.STATE_DIR, TABLE_ITEMS).open("w") as file:
            for key, items in tables.items():
                file.writelines(item_line(key, partition, rows) for partition, rows in items.items())
        try:
            for key in tables:
                dynamodb._tables._data[key]["items"] = {}
            return get_state()
        finally:
            for key, items in tables.items():
                dynamodb._tables._data[key]["items"] = items

    def load_and_read(state: Any) -> None:
        load(state)
        tables = {key: table["items"] for key, table in dynamodb._tables._data.items()}
        with Path(persistence.STATE_DIR, TABLE_ITEMS).open() as file:
            for line in file:
                key, partition, rows = json.loads(line)
                tables[tuple(key)][partition] = rows

    dynamodb.get_state, dynamodb.load_persisted_state = get_and_stream, load_and_read


def item_line(table: tuple[str, ...], partition: str, rows: Mapping[str, Any]) -> str:
    """Encode one partition of a table: the table's scoped name, the partition key, and its rows by sort key."""
    return json.dumps([table, partition, rows], default=persistence._json_default) + "\n"


def forget_old_executions() -> None:
    """Save only the executions of the last 90 days.

    ministack: keeps every execution and its history for good, and writes them all at each save.
    AWS: keeps them for 90 days after their end.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    get_state = stepfunctions.get_state

    def get_recent() -> Any:
        oldest = (datetime.now(UTC) - KEPT_EXECUTIONS).isoformat()
        executions = stepfunctions._executions._data
        for key in [key for key, execution in executions.items() if (execution.get("stopDate") or "9") < oldest]:
            del executions[key]
        return get_state()

    stepfunctions.get_state = get_recent


def adopt_existing_buckets() -> None:
    """Let a change set with `ImportExistingResources` adopt a bucket that an earlier stack left behind.

    ministack: refuses every bucket that exists, also one that it is about to adopt.
    AWS: adopts a resource that is retained and has a plain string as its name.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    # The creation itself still refuses a name that is taken and not adopted.
    provisioners.s3_bucket_name_conflict = lambda _name: None


def tell_states_of_children() -> None:
    """Write the states of a Map's child executions into their histories.

    ministack: tells of a child's tasks only, so nobody sees which state ran, failed, or waits and until when.
    AWS: a child execution has a history like any other.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    """
    run = stepfunctions._run_sub_machine

    @functools.wraps(run)
    def run_and_tell(states: Any, start_at: str, given: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        if "mapRunArn" not in execution:
            return run(states, start_at, given, execution, ctx)
        name, value = start_at, copy.deepcopy(given)
        while name:
            state, kind = states[name], states[name]["Type"]
            entered = {"name": name, "input": json.dumps(value)}
            stepfunctions._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
            if kind in ("Succeed", "Fail"):
                return run({name: state}, name, value, execution, ctx)
            ctx["State"] = {"Name": name, "EnteredTime": responses.now_iso(), "RetryCount": 0}
            arguments = (execution, ctx) if kind in ("Task", "Map", "Parallel") else (ctx,)
            value, following = getattr(stepfunctions, f"_execute_{kind.lower()}")(state, value, *arguments)
            exited = {"name": name, "output": json.dumps(value)}
            stepfunctions._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
            name = following
        return value

    stepfunctions._run_sub_machine = run_and_tell
