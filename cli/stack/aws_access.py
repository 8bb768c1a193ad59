"""What is missing before AWS can be called, and what to do: a region, credentials, a profile, a session."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

LOG_IN = "type `aws sso login`, with the same --profile, or renew the credentials in another way"

MISSING: tuple[tuple[tuple[type[BotoCoreError], ...], str, str], ...] = (
    (
        (NoRegionError,),
        "no AWS region is set",
        "add --region, or set one with `aws configure` or in AWS_DEFAULT_REGION",
    ),
    ((NoCredentialsError,), "no AWS credentials are found", "add --profile, or type `aws configure`"),
    ((PartialCredentialsError,), "the AWS credentials are incomplete", "type `aws configure`"),
    ((ProfileNotFound,), "there is no such AWS profile", "`aws configure list-profiles` lists the profiles"),
    ((SSOError, TokenRetrievalError), "the AWS session has ended", LOG_IN),
)
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")  # codes of several services


def missing_access(error: Exception) -> tuple[str, str] | None:
    """Return what is missing, and what to do; None if the error has another cause."""
    if isinstance(error, ClientError):
        expired = error.response.get("Error", {}).get("Code") in EXPIRED
        return ("the AWS session has ended", LOG_IN) if expired else None
    return next(((found, advice) for classes, found, advice in MISSING if isinstance(error, classes)), None)
