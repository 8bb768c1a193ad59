"""The matrix: each call of a run to AWS, with each kind of failure and each duration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.faults.aws_proxy import LOST, Call

MACHINE = "capture_traffic"  # the state machine, as a caller

# A test compares this list with the calls of a run. For more than 4,000 repositories, List repositories also scans a
# table, with the same code as Summarize run.
CALLS = tuple(
    Call(*line.split())
    for line in """
capture_traffic lambda invoke list_repos
capture_traffic lambda invoke fetch_traffic
capture_traffic lambda invoke store_traffic
capture_traffic lambda invoke summarize_run
capture_traffic s3 getObject runs/manifest.json
capture_traffic sns publish
fetch_traffic s3 GetObject runs/stopped
fetch_traffic s3 PutObject answers
fetch_traffic s3 PutObject runs/problems
fetch_traffic secretsmanager GetSecretValue
list_repos s3 PutObject listings
list_repos s3 PutObject runs/manifest.json
list_repos secretsmanager GetSecretValue
store_traffic dynamodb BatchGetItem RepoTrafficRepositories
store_traffic dynamodb BatchGetItem RepoTrafficSnapshots
store_traffic dynamodb Query RepoTraffic
store_traffic dynamodb UpdateItem RepoTraffic
store_traffic dynamodb UpdateItem RepoTrafficRepositories
store_traffic dynamodb UpdateItem RepoTrafficSnapshots
store_traffic s3 GetObject answers
store_traffic s3 PutObject runs/receipts
summarize_run dynamodb Query RepoTraffic
summarize_run dynamodb Query RepoTrafficSnapshots
summarize_run dynamodb Scan RepoTrafficRepositories
summarize_run s3 GetObject runs/manifest.json
summarize_run s3 GetObject runs/problems
summarize_run s3 GetObject runs/receipts
summarize_run s3 ListObjectsV2 runs/problems
summarize_run s3 ListObjectsV2 runs/receipts
summarize_run s3 ListObjectsV2 runs/stopped
summarize_run s3 PutObject runs/summary.json
summarize_run sns ListSubscriptionsByTopic
""".strip().splitlines()
)

READ_TIMEOUT = 800  # milliseconds; the SDK's minute, scaled

# The SDK repeats a call 4 times, for DynamoDB 9 times; here 2 times. The behaviour after the last try is the same.
# Source: https://docs.aws.amazon.com/boto3/latest/guide/retries.html (legacy retry mode, the default)
SDK_TRIES = 3

# The number of failing calls in a row. "A while" exceeds the SDK's tries in at least one of the two children.
DURATIONS: Mapping[str, int | None] = {"once": 1, "a while": 2 * (SDK_TRIES - 1) + 1, "lasting": None}

Fault = Mapping[str, Any]  # the part of a rule of microburst with the failure

# The call arrives, but its answer does not. The proxy sends the headers before it aborts the body. An answer without a
# body, like S3's to a PutObject, would be complete then: so the headers announce one, and `LOST` breaks the connection.
ANSWER_LOST: Fault = {"response": {"abort_bytes": 0, "set_headers": {"Content-Length": "1", LOST: "1"}}}

# Failures of the connection, for every service.
ON_THE_WAY: Mapping[str, Fault] = {
    "slow": {"latency": READ_TIMEOUT / 10},
    "hangs": {"latency": READ_TIMEOUT * 2, "hurry": True},  # arrives later, when the caller no longer waits
    "reset": {"reset": True},
    "answer lost": ANSWER_LOST,
    "answer cut": {"response": {"abort_frac": 0.5}},
}


# The end of a function's process at a broken call: what `aws_worker` does, and AWS's name for it. The engine ends the
# process at its timeout and at its memory limit.
DEATHS: Mapping[str, tuple[str, str]] = {
    "killed": ("kill", "Runtime.ExitError"),
    "timed out": ("hang", "Sandbox.Timedout"),
    "out of memory": ("allocate", "Runtime.OutOfMemory"),
}

# The call did not arrive, or it arrived and its answer did not.
MOMENTS: Mapping[str, Fault] = {"before": {"reset": True}, "after": ANSWER_LOST}

FUNCTION_TIMEOUT = 2  # seconds, for a function that hangs; the function itself expects its timeout of AWS

FUNCTION_MEMORY = 256  # MB, for all functions: filling the larger memory of AWS takes long

WRITES = ("PutObject", "UpdateItem")


def _error(code: str, status: int) -> Fault:
    return {"error": {"code": code, "status": status, "message": "on purpose"}}


# The errors of each service.
# Sources:
#   https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
#   https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
#   https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
#   https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
BY_SERVICE: Mapping[str, Mapping[str, Fault]] = {
    "s3": {
        "throttled": _error("SlowDown", 503),
        "fails": _error("InternalError", 500),
        "unavailable": _error("ServiceUnavailable", 503),
        "denied": _error("AccessDenied", 403),
    },
    "dynamodb": {
        "throttled": _error("ProvisionedThroughputExceededException", 400),
        "throttled by the account": _error("RequestLimitExceeded", 400),
        "fails": _error("InternalServerError", 500),
        "unavailable": _error("ServiceUnavailable", 503),
        "denied": _error("AccessDeniedException", 400),
    },
    "secretsmanager": {
        "throttled": _error("ThrottlingException", 400),
        "fails": _error("InternalServiceError", 500),
        "unavailable": _error("ServiceUnavailable", 503),
        "denied": _error("AccessDeniedException", 400),
        "gone": _error("ResourceNotFoundException", 400),
    },
    "sns": {
        "throttled": _error("Throttled", 429),
        "fails": _error("InternalError", 500),
        "unavailable": _error("ServiceUnavailable", 503),
        "denied": _error("AuthorizationError", 403),
        "gone": _error("NotFound", 404),
    },
}

# Errors of conditional writes only.
# Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-write-requests.html
CONDITIONAL: Mapping[tuple[str, str, str], Mapping[str, Fault]] = {
    **{
        ("s3", "PutObject", folder): {
            "condition failed": _error("PreconditionFailed", 412),
            "conflict": _error("ConditionalRequestConflict", 409),
        }
        for folder in ("answers", "listings")
    },
    **{
        ("dynamodb", "UpdateItem", table): {
            "condition failed": _error("ConditionalCheckFailedException", 400),
            "conflict": _error("TransactionConflictException", 400),
        }
        for table in ("RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots")
    },
}

# Step Functions' names for errors of its own integrations.
# Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
INTEGRATIONS: Mapping[str, Mapping[str, Fault]] = {
    "lambda": {
        "throttled": {"error": "Lambda.TooManyRequestsException"},
        "fails": {"error": "Lambda.ServiceException"},
        "reset": {"error": "Lambda.SdkClientException"},
        "hangs": {"error": "States.Timeout"},
        "denied": {"error": "Lambda.AWSLambdaException"},
        "answer lost": {"error": "Lambda.SdkClientException", "afterwards": True},
    },
    "s3": {"fails": {"error": "States.ItemReaderFailed"}},  # one name for all errors
    "sns": {
        "throttled": {"error": "SNS.ThrottledException"},
        "fails": {"error": "SNS.InternalErrorException"},
        "reset": {"error": "SNS.SdkClientException"},
        "hangs": {"error": "States.Timeout"},
        "denied": {"error": "SNS.AuthorizationErrorException"},
        "answer lost": {"error": "SNS.SdkClientException", "afterwards": True},
    },
}


@dataclass(frozen=True)
class AwsCase:
    """One fault of one kind of call, with a duration.

    Attributes:
        call: The call that fails.
        way: The kind of failure, in a word or two.
        fault: The rule that causes it.
        duration: One of `DURATIONS`.
    """

    call: Call
    way: str
    fault: Fault
    duration: str

    def __str__(self) -> str:
        return f"{self.call}, {self.way}, {self.duration}"


def every_case() -> Iterator[AwsCase]:
    """Yield the cases of the matrix."""
    for call in CALLS:
        for way, fault in ways(call).items():
            for duration in DURATIONS:
                yield AwsCase(call, way, fault, duration)


def every_death() -> Iterator[AwsCase]:
    """Yield the cases of functions that end before and after each of their side effects.

    An end after a call that only reads is an end before the next call. Only killed functions also end before each read:
    a timeout or a lack of memory there would have the same effect.
    "A while" is omitted: the SDK does not repeat a call after its process has ended.
    """
    for call, death, moment in product(CALLS, DEATHS, MOMENTS):
        writes = call.operation in WRITES
        if call.function != MACHINE and (writes or (death, moment) == ("killed", "before")):
            fault = {**MOMENTS[moment], DEATHS[death][0]: True}
            yield from (AwsCase(call, f"{death} {moment}", fault, duration) for duration in ("once", "lasting"))


def ways(call: Call) -> Mapping[str, Fault]:
    """Return every kind of failure of a kind of call."""
    if call.function == MACHINE:
        return INTEGRATIONS[call.service]
    conditional = CONDITIONAL.get((call.service, call.operation, call.resource), {})
    return {**ON_THE_WAY, **BY_SERVICE[call.service], **conditional}
