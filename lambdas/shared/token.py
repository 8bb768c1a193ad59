"""The tokens: in Secrets Manager, in memory for minutes, and nowhere else."""

from collections.abc import Mapping

from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from lambdas.shared.settings import setting
from traffic.errors import GitHubAuthError, TokenUnavailableError
from traffic.github.tokens import ANYONE, tokens_in

CACHE_SECONDS = 300  # so that a rotated token is used without a new deployment


def read_token(owner: str = ANYONE, *, fresh: bool = False) -> str:
    """Read the token for an owner's repositories.

    Raises:
        TokenUnavailableError: Secrets Manager does not give it.
        GitHubAuthError: The secret holds nothing for them that could be sent in a header.
    """
    tokens = read_tokens(fresh=fresh)
    if owner not in tokens:  # it may have come since they were read
        tokens = read_tokens(fresh=True)
    if owner not in tokens:
        raise GitHubAuthError(f"The secret holds no token for {owner} any more. Give it one with `traffic token`.")
    return tokens[owner]


def read_tokens(*, fresh: bool = False) -> Mapping[str, str]:
    """Read all tokens, by their owners in lower case.

    Raises:
        TokenUnavailableError: Secrets Manager does not give them.
        GitHubAuthError: The secret holds nothing that could be sent in a header.
    """
    try:
        secret = parameters.get_secret(setting("GITHUB_TOKEN_SECRET"), max_age=CACHE_SECONDS, force_fetch=fresh)
    except GetParameterError as exc:
        raise TokenUnavailableError("Secrets Manager does not give the token's secret to this function.") from exc
    return tokens_in(str(secret))
