import importlib
import subprocess
import sys
from typing import Any

import pytest

RETRIER = {"IntervalSeconds": 2, "BackoffRate": 2.0, "MaxAttempts": 9}


@pytest.fixture(scope="module")
def cures(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`local.cures`: importing ministack writes a key into its state folder, which must be ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIR", str(tmp_path_factory.mktemp("state")))
        return importlib.import_module("local.cures")


def test_a_retry_waits_no_longer_than_its_longest_delay(cures: Any) -> None:
    """Without a limit, the sixth retry would wait longer than a minute."""
    retrier = {**RETRIER, "MaxDelaySeconds": 5}

    assert [cures.step_functions.retry_delay(retrier, retries) for retries in range(4)] == [2, 4, 5, 5]


def test_full_jitter_draws_from_zero_to_the_delay(cures: Any) -> None:
    """Children that failed at the same time must not retry at the same time."""
    retrier = {**RETRIER, "JitterStrategy": "FULL"}

    drawn = cures.step_functions.retry_delay(retrier, 2, chance=lambda low, high: (low + high) / 2)

    assert drawn == 4.0


def test_the_defaults_of_a_retrier_are_those_of_aws(cures: Any) -> None:
    """1 s, doubling."""
    assert [cures.step_functions.retry_delay({}, retries) for retries in range(3)] == [1, 2, 4]


def test_an_exception_is_reported_under_its_class_name(cures: Any) -> None:
    """`ErrorEquals` compares this name."""
    body = {"errorMessage": "refused", "errorType": "\x00GitHubAuthError", "trace": None}

    cured = cures.lambda_functions.with_error_name({"body": body, "log": "Traceback ..."})

    assert cured["error"]
    assert cured["body"] == {"errorMessage": "refused", "errorType": "GitHubAuthError"}


def test_the_result_of_a_function_is_not_an_error(cures: Any) -> None:
    """The worker reports exceptions as results, so the two must stay distinguishable."""
    for result in ({"body": {"errorType": "x"}}, {"body": None}, {"body": ["errorType"]}):
        assert cures.lambda_functions.with_error_name(result) == result


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (-9, "Runtime exited with error: signal: killed"),
    ],
)
def test_the_end_of_a_process_is_described_in_the_words_of_aws(cures: Any, code: int, reason: str) -> None:
    """A reader of a failed run finds the same words in AWS's documentation."""
    assert cures.lambda_functions.exit_reason(code) == reason


def test_the_memory_of_a_process_that_has_ended_is_unknown(cures: Any) -> None:
    """A process may end between two checks; without /proc its memory is always unknown."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()

    assert cures.lambda_functions.peak_memory(process.pid) == 0


def test_a_no_echo_value_is_hidden_everywhere(cures: Any) -> None:
    """The engine copies it from the parameter into resources, events and change sets."""
    state = {
        "stacks": {
            "params": {"Token": {"Value": "ghp_1", "NoEcho": True}, "Url": {"Value": "https://x", "NoEcho": False}}
        },
        "resources": [{"SecretString": "ghp_1"}, "Bearer ghp_1"],
    }

    hidden = cures.cloudformation.without_no_echo(state)

    assert "ghp_1" not in str(hidden)
    assert hidden["resources"] == [{"SecretString": "****"}, "Bearer ****"]
    assert hidden["stacks"]["params"]["Url"]["Value"] == "https://x"


def test_executions_are_forgotten_90_days_after_their_end(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each save writes all executions, so without a limit it would become slower every day."""
    executions: dict[str, dict[str, Any]] = {
        "old": {"stopDate": "2020-01-01T00:00:00.000Z"},
        "running": {"stopDate": None},
        "new": {"stopDate": "2999-01-01T00:00:00.000Z"},
    }
    monkeypatch.setattr(cures.step_functions.stepfunctions._executions, "_data", executions)
    monkeypatch.setattr(cures.step_functions.stepfunctions, "get_state", lambda: list(executions))
    cures.step_functions.forget_old_executions()

    assert cures.step_functions.stepfunctions.get_state() == ["running", "new"]


def test_an_unexpected_version_of_ministack_is_an_error(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cure that silently stops working would let retries die out."""
    monkeypatch.setattr(cures.lambda_functions.lambda_runtime, "_PYTHON_WORKER_SCRIPT", "print('new')")

    with pytest.raises(cures.lambda_functions.CureOutdatedError):
        cures.lambda_functions.name_lambda_errors()
