"""The repositories that the token's account sees, and what happens to them: renames, deletions, lost access."""

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

# What made-up repositories are about; GitHub writes topics in lower case.
TOPICS: Mapping[str, Sequence[str]] = {
    "docs": ("documentation",),
    "website": ("documentation", "web"),
    "api-client": ("api", "python"),
    "cli": ("tooling", "python"),
    "sdk-python": ("api", "python"),
}

Property = bool | Sequence[str]


class UnknownRepositoryError(LookupError):
    """No repository has that name; the caller has misspelt it, or it was deleted."""


class NameTakenError(ValueError):
    """Another repository has that name already; the caller has to choose another."""


@dataclass
class SimulatedRepository:
    """What GitHub knows about a repository, as far as anybody looks at it here."""

    id: int
    name: str  # owner/name
    private: bool = False
    internal: bool = False  # seen by everybody of an enterprise
    fork: bool = False
    archived: bool = False
    push: bool = True  # the account may push, and so see the traffic
    admin: bool = True
    topics: Sequence[str] = ()

    @property
    def visibility(self) -> str:
        """Who sees it: `public`, `private` or `internal`."""
        if self.internal:
            return "internal"
        return "private" if self.private else "public"

    @property
    def owner(self) -> str:
        """The login before the slash."""
        return self.name.partition("/")[0]

    @property
    def short_name(self) -> str:
        """What comes after the slash."""
        return self.name.partition("/")[2]


class SimulatedAccount:
    """A user's own repositories and those of the organizations they work for.

    Names are found in upper and lower case alike, and under every former name, as at GitHub.

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
        self.hidden_owners: dict[str, int] = {}  # organizations that want the token authorized (SSO), with their id
        for name in names:
            self.create(name)
        self.login = login or next((repository.owner for repository in self), "octocat")

    def __iter__(self) -> Iterator[SimulatedRepository]:
        """List all repositories by id."""
        return iter(self._repositories.values())

    def sorted_by_name(self) -> Sequence[SimulatedRepository]:
        """List all repositories as GitHub does unless told otherwise."""
        if self._sorted is None:
            self._sorted = sorted(self, key=lambda repository: repository.name.lower())
        return self._sorted

    def owner_id(self, login: str) -> int:
        """Give an owner's numeric id."""
        return self._owners.setdefault(login.lower(), FIRST_OWNER_ID + len(self._owners))

    def by_id(self, repo_id: int) -> SimulatedRepository | None:
        """Find a repository by its id."""
        return self._repositories.get(repo_id)

    def by_name(self, name: str) -> SimulatedRepository | None:
        """Find a repository by its current name."""
        return self._repositories.get(self._current.get(name.lower(), -1))

    def by_former_name(self, name: str) -> SimulatedRepository | None:
        """Find the repository that once had a name which nobody took since."""
        return self._repositories.get(self._former.get(name.lower(), -1))

    def get(self, name: str) -> SimulatedRepository:
        """Find a repository by its current name.

        Raises:
            UnknownRepositoryError: There is none.
        """
        repository = self.by_name(name)
        if repository is None:
            raise UnknownRepositoryError(f"no repository is named {name!r}")
        return repository

    def create(self, name: str, **properties: Any) -> SimulatedRepository:
        """Create a repository with a new id; a former name taken again no longer redirects.

        Args:
            name: Its `owner/name`.
            properties: Any of private, internal, fork, archived, push, admin, topics.

        Raises:
            NameTakenError: There is one of that name.
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
            UnknownRepositoryError: There is none of that name.
            NameTakenError: There is another one of the new name.
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
            UnknownRepositoryError: There is none of that name.
        """
        repository = self.get(name)
        del self._repositories[repository.id], self._current[name.lower()]
        self._sorted = None

    def change(self, name: str, **properties: Property) -> None:
        """Change any of private, internal, fork, archived, push, admin and topics.

        Raises:
            UnknownRepositoryError: There is none of that name.
            KeyError: A repository has no such property.
        """
        repository = self.get(name)
        for key, value in properties.items():
            if key not in PROPERTIES:
                raise KeyError(f"{key} is none of {', '.join(PROPERTIES)}")
            setattr(repository, key, value)

    def hide_organization(self, login: str) -> None:
        """Let an organization want the token authorized (SSO): its repositories silently leave the listing."""
        self.hidden_owners[login.lower()] = self.owner_id(login)

    def _take(self, name: str) -> None:
        """Make sure that a name is free, and forget who had it."""
        if name.lower() in self._current:
            raise NameTakenError(f"{name!r} exists already")
        if not all(name.partition("/")) or name.count("/") != 1:
            raise ValueError(f"a repository's name is owner/name, not {name!r}")
        self._former.pop(name.lower(), None)
        self._sorted = None


def made_up_names(number: int, owners: Sequence[str]) -> Iterator[str]:
    """Make up repositories, dealt out among owners; different owners have repositories of the same name."""
    for index in range(number):
        place, owner = divmod(index, len(owners))
        generation, word = divmod(place, len(SHORT_NAMES))
        yield f"{owners[owner]}/{SHORT_NAMES[word]}{f'-{generation + 1}' if generation else ''}"


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
