"""The tokens in the secret, and whose repositories each of them is for. Pure.

The secret holds one token, or several as a JSON object from owners to tokens. The owner `*` stands for everybody else.
"""

import json
from collections.abc import Collection

from traffic.errors import GitHubAuthError

ANYONE = "*"  # in the place of an owner: the token for the repositories of all owners without a token of their own
PLACEHOLDER = "none"  # a stack can be deployed with it until the token is set


def tokens_in(secret: str) -> dict[str, str]:
    """Read the tokens in the secret, by their owners in lower case. No error repeats any of the secret.

    Raises:
        GitHubAuthError: The secret is neither a token nor a JSON object of owners and tokens.
    """
    tokens = {ANYONE: secret.strip()}
    if secret.lstrip().startswith("{"):
        try:
            tokens = {owner.lower(): token.strip() for owner, token in json.loads(secret).items()}
        except (ValueError, AttributeError, RecursionError):
            tokens = {}
    if not tokens or not all(map(_can_be_sent, tokens.values())):
        raise GitHubAuthError("The secret holds no token. Replace it with `traffic token`.") from None
    return tokens


def token_owner(name: str, owners: Collection[str]) -> str | None:
    """Return the owner whose token is used for a repository; None if no token is for it.

    Args:
        name: The repository's `owner/name`.
        owners: The owners that have tokens.
    """
    owner = name.partition("/")[0].lower()
    if owner in owners:
        return owner
    return ANYONE if ANYONE in owners else None


def token_text(owner: str) -> str:
    """Write for people which token it is."""
    return "the token" if owner == ANYONE else f"the token for {owner}"


def _can_be_sent(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
