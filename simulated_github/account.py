"""The account: its repositories with their renames and deletions, and its tokens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

FIRST_REPOSITORY_ID = 1296269
FIRST_OWNER_ID = 583231
PROPERTIES = ("private", "internal", "fork", "archived", "push", "admin", "topics")

SHORT_NAMES = (
    "docs", "website", "api-client", "cli", "server", "examples", "toolkit", "charts", "parser", "scheduler", "plugins",
    "notebooks", "terraform-modules", "design-system", "benchmarks", "dotfiles", "playground", "data-pipeline", "infra",
    "handbook", "sdk-python", "sdk-go", "mobile-app", "awesome-list",
)  # fmt: skip

# Topics of made-up repositories; GitHub writes them in lower case.
TOPICS: Mapping[str, Sequence[str]] = {
    "docs": ("documentation",),
    "website": ("documentation", "web"),
    "api-client": ("api", "python"),
    "cli": ("tooling", "python"),
    "sdk-python": ("api", "python"),
}

Property = bool | Sequence[str]


class UnknownRepositoryError(LookupError):
    """No repository has that name: it is misspelt, or the repository was deleted."""


class NameTakenError(ValueError):
    """Another repository has that name already; choose another name."""


@dataclass
class SimulatedRepository:
    """The properties of a repository that matter here."""

    id: int
    name: str  # owner/name
    private: bool = False
    internal: bool = False  # visible to every member of an enterprise
    fork: bool = False
    archived: bool = False
    push: bool = True  # the account may push, and therefore see the traffic
    admin: bool = True
    topics: Sequence[str] = ()

    @property
    def visibility(self) -> str:
        """`public`, `private` or `internal`."""
        if self.internal:
            return "internal"
        return "private" if self.private else "public"

    @property
    def owner(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def short_name(self) -> str:
        """The part of the name after the slash."""
        return self.name.partition("/")[2]


class SimulatedAccount:
    """A user's own repositories and those of the user's organizations.

    As on GitHub, upper and lower case do not matter in names, and former names still work.

    Args:
        names: `owner/name` of the repositories that exist from the start.
        login: The account itself; by default the owner of the first repository.
    """

    def __init__(self, names: Iterable[str] = (), *, login: str | None = None) -> None:
        self._ids = count(FIRST_REPOSITORY_ID)
        self._repositories: dict[int, SimulatedRepository] = {}
        self._current: dict[str, int] = {}
        self._former: dict[str, int] = {}
        self._owners: dict[str, int] = {}
        self._sorted: Sequence[SimulatedRepository] | None = None
        self.hidden_owners: dict[str, int] = {}  # organizations that require an authorized token (SSO), with their id
        for name in names:
            self.create(name)
        self.login = login or next((repository.owner for repository in self), "octocat")

    def __iter__(self) -> Iterator[SimulatedRepository]:
        """Iterate over all repositories by id."""
        return iter(self._repositories.values())

    def sorted_by_name(self) -> Sequence[SimulatedRepository]:
        """Return all repositories in GitHub's default order."""
        if self._sorted is None:
            self._sorted = sorted(self, key=lambda repository: repository.name.lower())
        return self._sorted

    def owner_id(self, login: str) -> int:
        """Return an owner's numeric id."""
        return self._owners.setdefault(login.lower(), FIRST_OWNER_ID + len(self._owners))

    def by_id(self, repo_id: int) -> SimulatedRepository | None:
        """Return the repository with this id."""
        return self._repositories.get(repo_id)

    def by_name(self, name: str) -> SimulatedRepository | None:
        """Return the repository with this current name."""
        return self._repositories.get(self._current.get(name.lower(), -1))

    def by_former_name(self, name: str) -> SimulatedRepository | None:
        """Return the repository that had this name before, unless another one took the name."""
        return self._repositories.get(self._former.get(name.lower(), -1))

    def get(self, name: str) -> SimulatedRepository:
        """Return the repository with this current name.

        Raises:
            UnknownRepositoryError: No repository has that name.
        """
        repository = self.by_name(name)
        if repository is None:
            raise UnknownRepositoryError(f"no repository is named {name!r}")
        return repository

    def create(self, name: str, **properties: Any) -> SimulatedRepository:
        """Create a repository with a new id; if its name is another's former name, that one no longer redirects.

        Args:
            name: Its `owner/name`.
            properties: Any of private, internal, fork, archived, push, admin, topics.

        Raises:
            NameTakenError: Another repository has that name.
        """
        self._take(name)
        repository = SimulatedRepository(next(self._ids), name, **properties)
        self._repositories[repository.id] = repository
        self._current[name.lower()] = repository.id
        self.owner_id(repository.owner)
        return repository

    def rename(self, name: str, to: str) -> None:
        """Rename a repository, or transfer it to another owner; the old name redirects from now on.

        Raises:
            UnknownRepositoryError: No repository has that name.
            NameTakenError: Another repository has the new name.
        """
        repository = self.get(name)
        if to.lower() != name.lower():
            self._take(to)
            self._former[name.lower()] = self._current.pop(name.lower())
        self._current[to.lower()] = repository.id
        repository.name = to
        self.owner_id(repository.owner)
        self._sorted = None

    def delete(self, name: str) -> None:
        """Delete a repository.

        Raises:
            UnknownRepositoryError: No repository has that name.
        """
        repository = self.get(name)
        del self._repositories[repository.id], self._current[name.lower()]
        self._sorted = None

    def change(self, name: str, **properties: Property) -> None:
        """Change any of private, internal, fork, archived, push, admin and topics.

        Raises:
            UnknownRepositoryError: No repository has that name.
            KeyError: A repository has no such property.
        """
        repository = self.get(name)
        for key, value in properties.items():
            if key not in PROPERTIES:
                raise KeyError(f"{key} is not one of {', '.join(PROPERTIES)}")
            setattr(repository, key, value)

    def hide_organization(self, login: str) -> None:
        """Let an organization require an authorized token (SSO): the list then omits its repositories."""
        self.hidden_owners[login.lower()] = self.owner_id(login)

    def _take(self, name: str) -> None:
        """Check that a name is free, and end its redirect."""
        if name.lower() in self._current:
            raise NameTakenError(f"{name!r} exists already")
        if not all(name.partition("/")) or name.count("/") != 1:
            raise ValueError(f"a repository's name is owner/name, not {name!r}")
        self._former.pop(name.lower(), None)
        self._sorted = None


def made_up_names(number: int, owners: Sequence[str]) -> Iterator[str]:
    """Yield made-up names, distributed among owners; different owners have repositories of the same name."""
    for index in range(number):
        place, owner = divmod(index, len(owners))
        generation, word = divmod(place, len(SHORT_NAMES))
        yield f"{owners[owner]}/{SHORT_NAMES[word]}{f'-{generation + 1}' if generation else ''}"


Tokens = Iterable[str] | Mapping[str, Iterable[str]]


class Credentials:
    """Checks tokens; without a list of valid tokens, every token is valid.

    Args:
        tokens: The valid tokens, or None for any; a mapping adds the owners whose repositories each token sees.
        expires: The header `github-authentication-token-expiration` (`2027-01-31 10:13:04 UTC`), or None.
        users: The login of each token's user; by default, each token with owners is a user of its own.

    Attributes:
        logins: The same; the user of any other token is the account.
    """

    def __init__(
        self, tokens: Tokens | None = None, expires: str | None = None, users: Mapping[str, str] | None = None
    ) -> None:
        self._valid = None if tokens is None else set(tokens)
        self._owners = {token: {owner.lower() for owner in seen} for token, seen in _grants(tokens).items()}
        own = {token: f"user-{number}" for number, token in enumerate(self._owners, start=1)}
        self.logins: Mapping[str, str] = {**own, **(users or {})}
        self.expires = expires
        self._calls_left: int | None = None
        self._repositories_left: int | None = None
        self._asked: set[int] = set()

    @property
    def are_granted(self) -> bool:
        """Whether each token sees only some owners' repositories."""
        return bool(self._owners)

    def sees(self, token: str, owner: str) -> bool:
        """Return whether a valid token sees an owner's repositories."""
        return not self._owners or owner.lower() in self._owners.get(token, ())

    def accept(self, token: str) -> None:
        """Make a token valid, for example after the others were revoked."""
        self._valid = {*(self._valid or ()), token}
        self._calls_left = self._repositories_left = None

    def revoke(self) -> None:
        """Make every token invalid until one is accepted again."""
        self._valid = set()

    def revoke_after(self, *, calls: int | None = None, repositories: int | None = None) -> None:
        """Revoke every token at the first call after so many calls, or for traffic of more repositories than given."""
        self._calls_left, self._repositories_left, self._asked = calls, repositories, set()

    def check(self, token: str, repo_id: int | None) -> bool:
        """Return whether a token is valid for a call.

        Args:
            token: The token in the `Authorization` header; empty if there is no token.
            repo_id: The repository whose traffic is requested, if any.
        """
        if not token or (self._valid is not None and token not in self._valid):
            return False
        if self._spent(repo_id):
            self.revoke()
            return False
        return True

    def _spent(self, repo_id: int | None) -> bool:
        """Count a call, and return whether it is the one that revokes the token."""
        if self._calls_left is not None:
            self._calls_left -= 1
        if repo_id is not None:
            self._asked.add(repo_id)
        beyond_calls = self._calls_left is not None and self._calls_left < 0
        return beyond_calls or (self._repositories_left is not None and len(self._asked) > self._repositories_left)


def bearer(authorization: str) -> str:
    """Return the token in an `Authorization` header, `Bearer TOKEN` or `token TOKEN`; otherwise an empty text."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "token"} else ""


def _grants(tokens: Tokens | None) -> Mapping[str, Iterable[str]]:
    return tokens if isinstance(tokens, Mapping) else {}
