"""Selects the listed repositories that are captured, by the settings. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from lambdas.shared.environment import Selection
from traffic.contract import PUSH, TOKEN, ListedSoFar, Listing, Repository
from traffic.wording import repositories

LONGEST_VALUE = 200  # characters of a setting in an error


def select(found: Iterable[Mapping[str, Any]], selection: Selection) -> list[Repository]:
    """Return the repositories that the token can push to and that the settings select."""
    return [
        Repository(id=repository["id"], name=repository["full_name"])
        for repository in found
        if not left_out_by(repository, selection)
    ]


def left_out_by(repository: Mapping[str, Any], selection: Selection) -> list[str]:
    """Return why a repository is not captured; empty if it is.

    Returns:
        `push` alone if the token cannot push to it; otherwise the key of each setting that leaves it out. Owners and
        names are one source of repositories, so `owners` stands for both.
    """
    if not (repository.get("permissions") or {}).get("push"):
        return [PUSH]
    name = repository["full_name"].lower()
    choices = {"forks": ("fork", selection.forks), "archived": ("archived", selection.archived)}
    fits = {
        "owners": _has_source(name, selection),
        "include": not selection.include or any(fnmatchcase(name, glob.lower()) for glob in selection.include),
        "exclude": not any(fnmatchcase(name, glob.lower()) for glob in selection.exclude),
        "topics": not selection.topics
        or any(topic.lower() in selection.topics for topic in repository.get("topics") or ()),
        "visibility": not selection.visibility or _visibility(repository) in selection.visibility,
        **{
            key: choice == "include" or bool(repository.get(kind)) is (choice == "only")
            for key, (kind, choice) in choices.items()
        },
    }
    return [key for key, fit in fits.items() if not fit]


def in_order(found: Iterable[Repository]) -> list[Repository]:
    """Return each repository once, sorted by name. Pages shift while they are read, so some repositories come twice."""
    once = {repository["id"]: repository for repository in found}
    return sorted(once.values(), key=lambda repository: repository["name"].lower())


def missing_names(selected: Sequence[Repository], selection: Selection) -> list[str]:
    """Return the names in the settings that were not found, and the owners without repositories."""
    found = {repository["name"].lower() for repository in selected}
    owners = {name.partition("/")[0] for name in found}
    return [name for name in selection.names if name.lower() not in found] + [
        owner for owner in selection.owners if owner not in owners
    ]


def why_nothing(listing: Listing, selection: Selection) -> str:
    """Explain why no repository is selected: what GitHub lists, and how many repositories each setting leaves out."""
    found = listing.get("found", ListedSoFar(listed=0, left_out={}))
    listed, left_out = found["listed"], found["left_out"]
    many = len(listing.get("tokens", {})) > 1
    tokens, they = ("the tokens", "they") if many else ("the token", "it")
    if not listed:
        return f"GitHub lists no repository for {tokens}"
    lists = f"GitHub lists {repositories(listed)} for {tokens}"
    usable = listed - left_out.get(TOKEN, 0)
    if not usable:
        return f"{lists}, but none of them has an owner for whom there is a token"
    pushable = usable - left_out.get(PUSH, 0)
    if not pushable:
        return f"{lists}, but {they} can push to none of them"
    if pushable < listed:
        lists += f" and {they} can push to {pushable} of them"
    settings = sorted(((left_out[key], key) for key in left_out if key not in (TOKEN, PUSH)), reverse=True)
    reasons = [
        f"{_written(key, selection)} leaves out {'all' if number == pushable else number}" for number, key in settings
    ]
    return f"{lists}, but the settings select none of them: {', '.join(reasons)}"


def _written(key: str, selection: Selection) -> str:
    """Return a setting with its value; owners and names together, because both are sources of repositories."""
    if key != "owners":
        value = getattr(selection, key)
        return _shown(key, value if isinstance(value, str) else ",".join(value))
    sources = {"owners": selection.owners, "repositories": selection.names}
    return " with ".join(_shown(name, ",".join(values)) for name, values in sources.items() if values)


def _shown(key: str, value: str) -> str:
    return f"{key} = {value if len(value) <= LONGEST_VALUE else f'{value[:LONGEST_VALUE]}...'!r}"


def _has_source(name: str, selection: Selection) -> bool:
    """Return whether the settings list a repository's owner or name, or list neither owners nor names."""
    return (
        not (selection.owners or selection.names)
        or name.partition("/")[0] in selection.owners
        or name in {wanted.lower() for wanted in selection.names}
    )


def _visibility(repository: Mapping[str, Any]) -> str:
    """Return the visibility. Older GitHub Enterprise Servers only report whether a repository is private."""
    return str(repository.get("visibility") or ("private" if repository.get("private") else "public")).lower()
