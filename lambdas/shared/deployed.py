"""Opens what the deployment made for the functions, once a process: the archive, the tables, the tokens, GitHub.

The tokens are in Secrets Manager and, for minutes, in memory. They are nowhere else.
"""

from collections.abc import Mapping
from functools import cache, partial

import boto3
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from lambdas.shared.environment import api_url, setting
from traffic.errors import GitHubAuthError, TokenUnavailableError
from traffic.github.client import GitHub
from traffic.github.tokens import ANYONE, token_text, tokens_in
from traffic.record.archive import Archive
from traffic.record.item_table import ItemTable
from traffic.record.tables import Snapshots, Tables

CACHE_SECONDS = 300  # so that a rotated token is used without a new deployment


@cache
def archive() -> Archive:
    """Return the archive bucket."""
    return Archive(setting("ARCHIVE_BUCKET"), boto3.client("s3"))


@cache
def tables() -> Tables:
    """Return the tables of days and of repositories."""
    return Tables(boto3.client("dynamodb"), setting("TRAFFIC_TABLE"), setting("REPOSITORIES_TABLE"))


@cache
def snapshots() -> Snapshots:
    """Return the table of snapshots."""
    return Snapshots(boto3.client("dynamodb"), setting("SNAPSHOTS_TABLE"))


@cache
def entries() -> ItemTable:
    """Return the table of repositories, to be read item by item."""
    return ItemTable(boto3.client("dynamodb"), setting("REPOSITORIES_TABLE"))


@cache
def github(owner: str) -> GitHub:
    """Return GitHub's API, called with the token for an owner's repositories."""
    return GitHub(api_url(), partial(read_token, owner))


def read_token(owner: str = ANYONE, *, fresh: bool = False) -> str:
    """Read the token for an owner's repositories.

    Raises:
        TokenUnavailableError: Secrets Manager does not return the secret.
        GitHubAuthError: The secret has no token for them, or one that cannot be sent in a header.
    """
    tokens = read_tokens(fresh=fresh)
    if owner not in tokens:  # it may have been added after the last read
        tokens = read_tokens(fresh=True)
    if owner not in tokens:
        raise GitHubAuthError(f"The secret no longer has {token_text(owner)}. Add it with `traffic token`.")
    return tokens[owner]


def read_tokens(*, fresh: bool = False) -> Mapping[str, str]:
    """Read all tokens, by their owners in lower case.

    Raises:
        TokenUnavailableError: Secrets Manager does not return the secret.
        GitHubAuthError: The secret has no token that can be sent in a header.
    """
    try:
        secret = parameters.get_secret(setting("GITHUB_TOKEN_SECRET"), max_age=CACHE_SECONDS, force_fetch=fresh)
    except GetParameterError as exc:
        raise TokenUnavailableError("Secrets Manager does not return the token's secret to this function.") from exc
    return tokens_in(str(secret))
