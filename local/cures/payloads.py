"""Cures that limit the data between states and functions, as AWS does."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import json
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc, stepfunctions

LONGEST_PAYLOAD = 262_144  # bytes of a state's input or output
LONGEST_RESPONSE = 6_291_556  # bytes of a function's answer to a synchronous call
LONGEST_ERROR, LONGEST_CAUSE = 256, 32_768  # characters

TOO_MUCH_DATA = "States.DataLimitExceeded"

# Errors that `States.ALL` and `States.TaskFailed` do not match.
UNMATCHED = (TOO_MUCH_DATA, "States.Runtime")


def refuse_large_payloads() -> None:
    """Refuse data that AWS refuses because of its size."""
    refuse_large_inputs()
    refuse_large_outputs()
    refuse_long_causes()
    refuse_large_responses()
    let_all_match_less()


def refuse_large_inputs() -> None:
    """Refuse an execution's input of more than 256 KiB, and an error or a cause that is too long for the history.

    ministack: accepts any.
    AWS: answers `ValidationException`.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
    """
    for name in ("_start_execution", "_start_sync_execution", "_stop_execution", "_send_task_failure"):
        setattr(stepfunctions, name, refusing_long_members(getattr(stepfunctions, name)))


def refusing_long_members(operation: Any) -> Any:
    """Wrap an operation so that it first checks the lengths of its members."""

    @functools.wraps(operation)
    def check_and_do(data: dict[str, Any]) -> Any:
        for member, longest in (("input", LONGEST_PAYLOAD), ("error", LONGEST_ERROR), ("cause", LONGEST_CAUSE)):
            if len(str(data.get(member) or "").encode()) > longest:
                message = (
                    f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
                    f"Member must have length less than or equal to {longest}"
                )
                return responses.error_response_json("ValidationException", message, 400)
        return operation(data)

    return check_and_do


def refuse_large_outputs() -> None:
    """Fail a state whose input, result or output is larger than 256 KiB.

    ministack: accepts any size.
    AWS: fails with `States.DataLimitExceeded`. A Map's results count even if its `ResultPath` drops them.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
        https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    parameters, select, output = (
        stepfunctions._apply_parameters,
        stepfunctions._apply_result_selector,
        stepfunctions._apply_output_path,
    )

    def apply_parameters(state: dict[str, Any], data: Any, context: Any = None) -> Any:
        return checked(parameters(state, data, context), state_name(context, state))

    def apply_result_selector(state: dict[str, Any], data: Any) -> Any:
        return select(state, checked(data, state_name(None, state)))

    def apply_output_path(state: dict[str, Any], data: Any, context: Any = None) -> Any:
        return checked(output(state, data, context), state_name(context, state))

    stepfunctions._apply_parameters = apply_parameters
    stepfunctions._apply_result_selector = apply_result_selector
    stepfunctions._apply_output_path = apply_output_path


def state_name(context: Any, state: dict[str, Any]) -> str:
    """Return a state's name for a message or, if only the result is known, the resource that it runs."""
    known = (context or {}).get("State", {}).get("Name")
    return str(known or state.get("Resource") or state.get("Label") or state["Type"])


def checked(data: Any, name: str) -> Any:
    """Return the data, or fail the state if it is too large."""
    if len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()) > LONGEST_PAYLOAD:
        limit = "with a size exceeding the maximum number of bytes service limit."
        raise stepfunctions._ExecutionError(TOO_MUCH_DATA, f"The state/task '{name}' returned a result {limit}")
    return data


def refuse_long_causes() -> None:
    """Fail with `States.DataLimitExceeded` if the error of a function or a Fail state is too long for the history.

    ministack: stores any.
    AWS: stores an error of up to 256 characters and a cause of up to 32,768. What AWS does beyond that is not
    documented; this is the strictest interpretation, because no Catch with `States.ALL` catches it.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html
    """
    call, fail = stepfunctions._call_lambda, stepfunctions._fail_state_error

    @functools.wraps(call)
    def call_and_check(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as exc:
            check_error(exc.error, exc.cause, function)
            raise

    @functools.wraps(fail)
    def fail_and_check(state: dict[str, Any], given: Any, context: Any = None) -> Any:
        error, cause = fail(state, given, context)
        check_error(error, cause, state_name(context, state))
        return error, cause

    stepfunctions._call_lambda, stepfunctions._fail_state_error = call_and_check, fail_and_check


def check_error(error: str, cause: str, name: str) -> None:
    """Fail the state if its error or its cause is too long."""
    if len(error) > LONGEST_ERROR or len(cause) > LONGEST_CAUSE:
        message = (
            f"The state/task '{name}' failed with an error of {len(error)} characters, of at most {LONGEST_ERROR}, "
            f"and a cause of {len(cause)}, of at most {LONGEST_CAUSE}. It begins with: {cause[:200]}"
        )
        raise stepfunctions._ExecutionError(TOO_MUCH_DATA, message)


def refuse_large_responses() -> None:
    """Fail a function that answers with more than 6 MB.

    ministack: accepts any size.
    AWS: fails the call with `Function.ResponseSizeTooLarge`.

    Source:
        https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    execute = lambda_svc._execute_function_warm

    @functools.wraps(execute)
    def execute_and_check(*arguments: Any, **options: Any) -> dict[str, Any]:
        result: dict[str, Any] = execute(*arguments, **options)
        if len(json.dumps(result.get("body"), ensure_ascii=False, default=str).encode()) <= LONGEST_RESPONSE:
            return result
        message = f"Response payload size exceeded maximum allowed payload size ({LONGEST_RESPONSE} bytes)."
        body = {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}
        return {**result, "body": body, "error": True}

    lambda_svc._execute_function_warm = execute_and_check


def let_all_match_less() -> None:
    """Let `States.ALL` and `States.TaskFailed` match only the errors that they match on AWS.

    ministack: both match every error.
    AWS: only its own name matches `States.DataLimitExceeded`; nothing matches `States.Runtime`.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    matches = stepfunctions._error_matches

    @functools.wraps(matches)
    def matches_less(names: list[str], error: str) -> bool:
        return bool(matches(names, error)) if error not in UNMATCHED else error == TOO_MUCH_DATA and error in names

    stepfunctions._error_matches = matches_less
