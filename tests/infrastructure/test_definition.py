"""Promise: definition, stack and code use the same names for the same things."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lambdas.list_repos.due import SINGLES
from tests.infrastructure.conftest import DEFINITION, Template, states
from traffic import errors

# What Step Functions reports about a function whose process ends: out of time, out of memory, or by itself. On runtimes
# older than Python 3.12 all three are Lambda.Unknown.
# Source:
#     https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
#     https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html (Handle transient Lambda errors)
DEATHS = ("Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown")

# The other names of AWS that the definition may use.
# Source:
#     https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
#     https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (Errors)
AWS_ERRORS = {
    *DEATHS,
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "States.ALL",
    "States.ItemReaderFailed",
    "States.TaskFailed",
    "States.Timeout",
}


def test_the_stack_substitutes_exactly_the_placeholders(template: Template) -> None:
    """CloudFormation leaves an unknown placeholder in the text, and the run fails there."""
    machine = template.only("AWS::StepFunctions::StateMachine")
    placeholders = set(re.findall(r"\$\{(\w+)\}", DEFINITION.read_text(encoding="utf-8")))

    assert placeholders == set(machine["DefinitionSubstitutions"])


def test_the_template_contains_the_unchanged_definition(template: Template) -> None:
    """The same bytes run on AWS and on the local engines; and `cdk diff` shows what changed."""
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["DefinitionString"] == DEFINITION.read_text(encoding="utf-8")


def test_each_placeholder_stands_for_the_function_of_its_name(template: Template) -> None:
    """Two swapped functions would deploy well, and fail at the first run."""
    substitutions = template.only("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]

    assert sum(placeholder.endswith("FunctionArn") for placeholder in substitutions) == 4
    for placeholder, value in substitutions.items():
        if placeholder.endswith("FunctionArn"):
            name = placeholder.removesuffix("FunctionArn")
            folder = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
            handler = template.resources[value["Fn::GetAtt"][0]]["Properties"]["Handler"]
            assert handler == f"lambdas.{folder}.handler.lambda_handler"


def machines(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Return the definition and each definition inside of its Maps. Each has its own names of states."""
    yield definition
    for state in definition["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def targets(state: Mapping[str, Any]) -> set[str]:
    """Return the names of the states that may follow a state."""
    follow = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {found[name] for found in follow for name in ("Next", "Default") if name in found}


def test_every_transition_leads_to_a_state_and_every_state_is_reached(definition: Mapping[str, Any]) -> None:
    """Linters do not check `Next`; AWS would refuse the definition, and the local engines would fail during a run."""
    for machine in machines(definition):
        followed = {name for state in machine["States"].values() for name in targets(state)}

        assert followed | {machine["StartAt"]} == set(machine["States"])


def test_error_equals_contains_only_real_errors(definition: Mapping[str, Any]) -> None:
    """A renamed class, or a misspelt name, is never retried or caught."""
    ours = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
    rules = [rule for _, state in states(definition) for rule in [*state.get("Retry", []), *state.get("Catch", [])]]
    matched = {error for rule in rules for error in rule["ErrorEquals"]}

    assert matched & ours
    assert not matched - AWS_ERRORS - ours


def invocations(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the states that invoke a function, by name."""
    return {name: state for name, state in states(definition) if "FunctionName" in state.get("Parameters", {})}


def retrier_of(state: Mapping[str, Any], error: str) -> Mapping[str, Any]:
    """Return the first retrier for an error; an empty mapping if no retrier matches."""
    return next((retrier for retrier in state["Retry"] if error in retrier["ErrorEquals"]), {})


@pytest.mark.parametrize("error", DEATHS)
def test_a_function_is_started_again_after_its_process_ended(definition: Mapping[str, Any], error: str) -> None:
    """Most causes pass, such as a replaced host or a hanging call. Without a retry, a batch would lose its day.

    A function that ran out of memory will probably do so again, after minutes that cost money: one retry.
    """
    retries = {name: retrier_of(state, error).get("MaxAttempts", 0) for name, state in invocations(definition).items()}

    assert retries == dict.fromkeys(
        ("List repositories", "Fetch traffic", "Store traffic", "Summarize run"),
        1 if error == "Runtime.OutOfMemory" else 3,
    )


def test_no_permanent_error_of_a_function_is_retried(definition: Mapping[str, Any]) -> None:
    """GitHub locks out the owner of a refused token that calls again. `States.TaskFailed` would retry it, too."""
    passing = {
        name for name, error in inspect.getmembers(errors, inspect.isclass) if "Retry names" in str(error.__doc__)
    }

    for name, state in invocations(definition).items():
        retried = {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}
        assert retried <= passing | AWS_ERRORS - {"States.TaskFailed", "States.ALL"}, name


def test_the_states_of_a_redriven_run_get_the_time_of_the_redrive(definition: Mapping[str, Any]) -> None:
    """A redriven state gets the input it had the first time, with the old deadline.

    They get the complete execution, because a path to `RedriveTime` fails in an execution without a redrive. A child
    that had not started yet has no redrive of its own: it gets the run's execution.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
    """
    named = dict(states(definition))

    for name in ("List repositories", "Fetch traffic"):
        assert named[name]["Parameters"]["Payload.$"] == "States.JsonMerge($$.Execution, $, false)"
    assert named["Capture repositories"]["ItemSelector"]["parent.$"] == "$$.Execution"
    assert "$$.Execution.Redrive" not in json.dumps(definition)


def test_a_task_waits_longer_than_its_function_runs(template: Template, definition: Mapping[str, Any]) -> None:
    """Otherwise States.Timeout starts a function again while the first still runs."""
    substitutions = template.only("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]
    tasks = [state for _, state in states(definition) if state["Type"] == "Task"]

    assert tasks
    for task in tasks:
        placeholder = task["Parameters"].get("FunctionName", "").strip("${}")
        if placeholder:
            function = template.resources[substitutions[placeholder]["Fn::GetAtt"][0]]
            assert task["TimeoutSeconds"] > function["Properties"]["Timeout"]
        assert task["TimeoutSeconds"] > 0


def test_every_map_bounds_its_concurrency(definition: Mapping[str, Any]) -> None:
    """Without a bound, ten thousand children would call GitHub at once."""
    maps = [state for _, state in states(definition) if state["Type"] == "Map"]

    assert maps
    assert all(state["MaxConcurrencyPath"] == "$.manifest.at_once" for state in maps)


def test_the_map_is_retried_only_before_a_child_has_begun(definition: Mapping[str, Any]) -> None:
    """A retrier of a Map runs all of its children again: 100,000 repositories because one failed."""
    retried = {error for each in definition["States"]["Capture repositories"]["Retry"] for error in each["ErrorEquals"]}

    assert retried == {"States.ItemReaderFailed"}


def test_the_outputs_of_all_children_fit_into_one_state(definition: Mapping[str, Any]) -> None:
    """They count for the Map's output, although `ResultPath` discards it: `{}` of 87,000 children is too long.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html (256 KiB)
    """
    capture = definition["States"]["Capture repositories"]
    # Or a lane for each user: a secret of 64 KB has room for so many tokens of 40 characters.
    children = max(SINGLES, 64 * 1024 // len('"a":"' + 40 * "t" + '",'))
    ends = [state for state in capture["ItemProcessor"]["States"].values() if state.get("End")]

    assert capture["ResultPath"] is None
    assert [end["Type"] for end in ends] == ["Pass"]
    assert len(json.dumps([end["Result"] for end in ends] * children)) < 256 * 1024


def test_every_state_has_a_readable_name_and_a_comment(definition: Mapping[str, Any]) -> None:
    """Readers of the console do not know the code: they see a verb and an object, the input and the output."""
    for name, state in states(definition):
        assert state.get("Comment"), f"{name} has no comment"
        assert re.fullmatch(r"[A-Z][a-zA-Z' ]+\??", name), f"{name} is not in sentence case"


def test_errors_of_runs_are_logged_and_runs_are_traced(template: Template) -> None:
    """An execution has its own history for 90 days. The log finds failures over all executions."""
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["LoggingConfiguration"]["Level"] == "ERROR"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is True
    assert machine["TracingConfiguration"] == {"Enabled": True}
