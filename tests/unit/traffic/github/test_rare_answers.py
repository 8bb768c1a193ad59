"""Rare answers of GitHub and AWS, and the damage that they must not do."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from lambdas.list_repos.selection import select
from lambdas.shared.environment import Selection
from lambdas.store_traffic.receipts import CONFLICT
from lambdas.summarize_run.outcome import gather
from simulated_github import SimulatedGitHub, faults
from tests.unit.handlers import account
from traffic.clock import from_http
from traffic.contract import ENDPOINTS, Receipt
from traffic.errors import ArchiveBusyError, InvalidSettingError
from traffic.github.answers import FAILED, Answer, Meaning, classify
from traffic.github.rate_limit import rate_limit_pause
from traffic.record.archive import Archive

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize("status", [402, 405, 406, 409, 421, 423, 425, 431, 499])
def test_an_undocumented_refusal_concerns_its_repository_only(status: int) -> None:
    """One odd repository must not end the run for a thousand others."""
    assert classify(Answer(status, {}, b"{}")).meaning is Meaning.REFUSED


@pytest.mark.parametrize("attempt", range(12))
@pytest.mark.parametrize(
    "headers",
    [{"retry-after": "0"}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) - 60)}],
)
def test_the_wait_at_a_limit_in_the_past_doubles_each_time(headers: dict[str, str], attempt: int) -> None:
    """With a server that repeats such a limit, the state machine would ask without a pause up to its 25,000th event."""
    assert rate_limit_pause(Answer(403, headers, b""), NOW, attempt=attempt) == min(2.0**attempt, 900.0)


def test_an_address_that_is_not_githubs_api_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Enterprise Server without /api/v3 answers with 404: a new token would not help."""
    with SimulatedGitHub(repositories=1) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.not_found())
        with pytest.raises(InvalidSettingError, match="GITHUB_API_URL is not an address of GitHub's API"):
            aws.list_repositories()


def test_a_repository_without_permissions_is_not_captured() -> None:
    """An application's listing may omit them, or contain null."""
    found: list[dict[str, Any]] = [{"id": 1, "full_name": "octo/docs", "permissions": None}]

    assert select(found, Selection()) == []


def test_a_date_without_a_zone_is_utc() -> None:
    """-0000 means that the zone is unknown; HTTP dates are always in UTC."""
    assert from_http("Fri, 20 Nov 2026 09:00:00 -0000") == NOW


def test_a_conflict_stays_a_failure_if_other_endpoints_answer_later() -> None:
    """Nothing of it was stored, whatever GitHub answered later."""

    def receipt(outcome: str, *answered: Any) -> Receipt:
        return {
            "id": 1,
            "name": "octo/docs",
            "repo_name": "octo/docs",
            "answered": list(answered),
            "outcome": outcome,
            "detail": "",
            "items_changed": 0,
            "lowered": 0,
            "newest_day": None,
        }

    (conflict,) = gather([], [receipt(CONFLICT, *ENDPOINTS[:3]), receipt("captured", ENDPOINTS[3])], [])
    (recovered,) = gather([], [receipt(FAILED, *ENDPOINTS[:3]), receipt("captured", ENDPOINTS[3])], [])

    assert (conflict.outcome, recovered.outcome) == (CONFLICT, "captured")


class FailingS3:
    """Fails at every call."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def put_object(self, **_request: Any) -> None:
        """Fail to write."""
        raise self.failure

    get_object = put_object


def refusal(code: str) -> ClientError:
    """Return the error that boto3 raises for a refused call."""
    return ClientError({"Error": {"Code": code, "Message": ""}}, "PutObject")


@pytest.mark.parametrize(
    "failure",
    [
        *map(refusal, ["SlowDown", "InternalError", "ServiceUnavailable", "ConditionalRequestConflict"]),
        EndpointConnectionError(endpoint_url="https://s3"),
        ReadTimeoutError(endpoint_url="https://s3"),
    ],
    ids=str,
)
def test_a_busy_bucket_raises_the_error_that_the_definition_retries(failure: Exception) -> None:
    """The definition does not retry boto3's own error: the answers of a hundred calls would be lost for the day."""
    archive = Archive("archive", FailingS3(failure))

    for ask in (
        lambda: archive.put_note("key", []),
        lambda: archive.read_note("key"),
        lambda: archive.read_answers(""),
    ):
        with pytest.raises(ArchiveBusyError):
            ask()


def test_a_denied_bucket_is_not_asked_again() -> None:
    """Six more tries would only delay the error."""
    with pytest.raises(ClientError):
        Archive("archive", FailingS3(refusal("AccessDenied"))).put_note("key", [])
