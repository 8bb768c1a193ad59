"""Whose repositories a token asks for. Pure.

The secret holds one token; or several, as a JSON object: under each owner the token for their repositories, and under
`*` the one for those of everybody else.
"""

import json
from collections.abc import Collection

from traffic.errors import GitHubAuthError

ANYONE = "*"  # in the place of an owner: the token for the repositories of all owners without a token of their own
PLACEHOLDER = "none"  # a stack can be deployed with it until the token is set


def tokens_in(secret: str) -> dict[str, str]:
    """Read tokens from what the secret holds, by their owners in lower case. No error repeats any of it.

    Raises:
        GitHubAuthError: It is neither a token nor a JSON object of owners and tokens.
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
    """Tell under whom the token lies that asks for a repository; None where none is for it.

    Args:
        name: The repository's `owner/name`.
        owners: Those that have tokens.
    """
    owner = name.partition("/")[0].lower()
    if owner in owners:
        return owner
    return ANYONE if ANYONE in owners else None


def token_text(owner: str) -> str:
    """Name a token by its owner."""
    return "the token" if owner == ANYONE else f"the token for {owner}"


def _can_be_sent(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
