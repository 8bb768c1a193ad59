"""Opens GitHub's API with the tokens of the deployment.

The tokens are in Secrets Manager and, for minutes, in memory. They are nowhere else.
"""

from collections.abc import Mapping
from functools import cache, partial

from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from lambdas.shared.environment import api_url, setting
from traffic.errors import GitHubAuthError, TokenUnavailableError
from traffic.github.client import GitHub
from traffic.github.tokens import ANYONE, token_text, tokens_in

CACHE_SECONDS = 300  # so that a rotated token is used without a new deployment


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
