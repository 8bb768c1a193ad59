"""Which failures of AWS the state machine retries: a code that is missing here would give up a batch."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from traffic.errors import ArchiveBusyError
from traffic.record.transient import renamed_if_transient

DYNAMODB = (
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
)
S3 = ("ConditionalRequestConflict", "InternalError", "OperationAborted", "RequestTimeout", "SlowDown")


def refused(code: str) -> ClientError:
    """Return the error of a refused call."""
    return ClientError({"Error": {"Code": code, "Message": "AWS's words"}}, "PutObject")


@pytest.mark.parametrize("code", [*DYNAMODB, *S3, "500", "503"])
def test_a_temporary_failure_has_the_name_that_the_definition_retries(code: str) -> None:
    """DynamoDB and S3 document these codes; an answer without a body has only its status.

    Sources:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
        https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    failure = refused(code)
    with pytest.raises(ArchiveBusyError) as raised, renamed_if_transient(ArchiveBusyError, "archive"):
        raise failure

    assert str(raised.value) == f"archive: {failure}"
    assert raised.value.__cause__ is failure


@pytest.mark.parametrize(
    "failure",
    [
        ReadTimeoutError(endpoint_url="https://s3.us-east-1.amazonaws.com"),
        EndpointConnectionError(endpoint_url="https://s3.us-east-1.amazonaws.com"),
    ],
)
def test_an_aws_that_does_not_answer_is_a_temporary_failure(failure: Exception) -> None:
    """The network may work again at the next try."""
    with pytest.raises(ArchiveBusyError), renamed_if_transient(ArchiveBusyError, "archive"):
        raise failure


@pytest.mark.parametrize("failure", [refused("AccessDenied"), refused("404"), NoCredentialsError()])
def test_any_other_failure_keeps_its_name(failure: Exception) -> None:
    """A retry would not help: the person who reads the run's error must see AWS's own."""
    with pytest.raises(type(failure)) as raised, renamed_if_transient(ArchiveBusyError, "archive"):
        raise failure

    assert raised.value is failure
