"""Which of boto3's failures pass by themselves, when its own retries were in vain.

Sources:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError  # not Python's own

# What boto3 raises of an AWS that refuses, or was reset, hung up or silent for too long.
FAILURES = (ClientError, HTTPClientError, UnreachableError)

PASSING = (
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException", "InternalServerError",
    "ServiceUnavailable", "TransactionConflictException", "ReplicatedWriteConflictException",
    "SlowDown", "InternalError", "RequestTimeout", "OperationAborted", "ConditionalRequestConflict", "503", "500",
)  # fmt: skip


def passes(failure: Exception) -> bool:
    """Tell whether trying again later will help."""
    return not isinstance(failure, ClientError) or failure.response["Error"]["Code"] in PASSING
