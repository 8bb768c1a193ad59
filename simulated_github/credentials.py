"""Whose token is good."""

from collections.abc import Iterable, Mapping

Tokens = Iterable[str] | Mapping[str, Iterable[str]]


class Credentials:
    """Tells good tokens from bad ones; without a list of good ones, every token is good.

    Args:
        tokens: The good tokens, or None for any; as a mapping, with the owners whose repositories each sees.
        expires: What `github-authentication-token-expiration` says (`2027-01-31 10:13:04 UTC`), or None.
    """

    def __init__(self, tokens: Tokens | None = None, expires: str | None = None) -> None:
        self._good = None if tokens is None else set(tokens)
        self._owners = {token: {owner.lower() for owner in seen} for token, seen in _grants(tokens).items()}
        self.expires = expires
        self._calls_left: int | None = None
        self._repositories_left: int | None = None
        self._asked: set[int] = set()

    @property
    def are_granted(self) -> bool:
        """Tell whether each token sees some owners' repositories only, and has a limit of its own."""
        return bool(self._owners)

    def sees(self, token: str, owner: str) -> bool:
        """Tell whether a good token sees an owner's repositories."""
        return not self._owners or owner.lower() in self._owners.get(token, ())

    def accept(self, token: str) -> None:
        """Make a token good, as when somebody replaces a revoked one."""
        self._good = {*(self._good or ()), token}
        self._calls_left = self._repositories_left = None

    def revoke(self) -> None:
        """Make every token bad until one is accepted again."""
        self._good = set()

    def revoke_after(self, *, calls: int | None = None, repositories: int | None = None) -> None:
        """Revoke every token at the first call beyond so many calls, or for traffic of so many repositories."""
        self._calls_left, self._repositories_left, self._asked = calls, repositories, set()

    def check(self, token: str, repo_id: int | None) -> bool:
        """Tell whether a token is good for a call.

        Args:
            token: What the `Authorization` header holds after `Bearer` or `token`; empty when there is none.
            repo_id: The repository whose traffic is asked for, if any.
        """
        if not token or (self._good is not None and token not in self._good):
            return False
        if self._spent(repo_id):
            self.revoke()
            return False
        return True

    def _spent(self, repo_id: int | None) -> bool:
        """Count a call, and tell whether it is the one at which the token is revoked."""
        if self._calls_left is not None:
            self._calls_left -= 1
        if repo_id is not None:
            self._asked.add(repo_id)
        beyond_calls = self._calls_left is not None and self._calls_left < 0
        return beyond_calls or (self._repositories_left is not None and len(self._asked) > self._repositories_left)


def bearer(authorization: str) -> str:
    """Take the token out of an `Authorization` header: `Bearer TOKEN` or `token TOKEN`; else an empty text."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "token"} else ""


def _grants(tokens: Tokens | None) -> Mapping[str, Iterable[str]]:
    return tokens if isinstance(tokens, Mapping) else {}
