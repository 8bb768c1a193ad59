"""Cures of ministack's Step Functions."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import copy
import functools
import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ministack.core import responses
from ministack.services import stepfunctions

KEPT_EXECUTIONS = timedelta(days=90)


def honour_retry_fields() -> None:
    """Apply a retrier's `MaxDelaySeconds` and `JitterStrategy`.

    ministack: waits `IntervalSeconds * BackoffRate ** retries`, at most 60 s.
    AWS: waits at most `MaxDelaySeconds`; with `FULL` jitter, a random time between 0 and that.

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
    """Return how long AWS waits before the next try, in seconds.

    Args:
        retrier: One entry of a state's `Retry`.
        retries: The number of its retries so far.
        chance: Returns a random number between two others.
    """
    delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retries
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    return chance(0.0, delay) if retrier.get("JitterStrategy") == "FULL" else float(delay)


def read_max_concurrency_path() -> None:
    """Bound a distributed Map by the number at its `MaxConcurrencyPath`.

    ministack: reads `MaxConcurrency` only; without it, up to 64 children run at once.
    AWS: reads the number from the Map's input.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    """
    run = stepfunctions._run_distributed_map

    @functools.wraps(run)
    def run_bounded(state: Any, given: Any, effective: Any, *rest: Any) -> Any:
        if "MaxConcurrencyPath" in state:
            ctx = rest[-1]
            number = stepfunctions._resolve_path_or_ctx(state["MaxConcurrencyPath"], effective, ctx)
            state = {**state, "MaxConcurrency": number}
        return run(state, given, effective, *rest)

    stepfunctions._run_distributed_map = run_bounded


def forget_old_executions() -> None:
    """Save only the executions of the last 90 days.

    ministack: keeps every execution and its history forever, and writes all of them at each save.
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


def record_states_of_children() -> None:
    """Write the states of a Map's child executions into their histories.

    ministack: records a child's tasks only, so nobody sees which state ran, failed or waits, or until when it waits.
    AWS: a child execution has a complete history.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    """
    run = stepfunctions._run_sub_machine

    @functools.wraps(run)
    def run_and_record(states: Any, start_at: str, given: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
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

    stepfunctions._run_sub_machine = run_and_record
