"""Which of boto3's failures a later retry will help against, after boto3's own retries failed.

Sources:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError  # not Python's own

# What boto3 raises if AWS refuses a call, closes the connection or does not answer.
FAILURES = (ClientError, HTTPClientError, UnreachableError)

TRANSIENT = (
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException", "InternalServerError",
    "ServiceUnavailable", "TransactionConflictException", "ReplicatedWriteConflictException",
    "SlowDown", "InternalError", "RequestTimeout", "OperationAborted", "ConditionalRequestConflict", "503", "500",
)  # fmt: skip


@contextmanager
def renamed_if_transient(error: type[Exception], place: str) -> Iterator[None]:
    """Raise a failure that a retry will help against under the name that the definition retries.

    Args:
        error: The class to raise.
        place: What was called, for the message.
    """
    try:
        yield
    except FAILURES as exc:
        if isinstance(exc, ClientError) and exc.response["Error"]["Code"] not in TRANSIENT:
            raise
        raise error(f"{place}: {exc}") from exc
