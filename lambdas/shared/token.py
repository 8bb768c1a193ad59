"""The token: in Secrets Manager, in memory for minutes, and nowhere else."""

from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from lambdas.shared.errors import GitHubAuthError, TokenUnavailableError
from lambdas.shared.settings import setting

CACHE_SECONDS = 300  # so that a rotated token is used without a new deployment


def read_token(*, fresh: bool = False) -> str:
    """Read the token.

    Raises:
        TokenUnavailableError: Secrets Manager does not give it.
        GitHubAuthError: The secret holds nothing that could be sent in a header.
    """
    try:
        secret = parameters.get_secret(setting("GITHUB_TOKEN_SECRET"), max_age=CACHE_SECONDS, force_fetch=fresh)
    except GetParameterError as exc:
        raise TokenUnavailableError("Secrets Manager does not give the token's secret to this function.") from exc
    token = str(secret).strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise GitHubAuthError("The secret holds no token. Replace it with `traffic token`.")
    return token
