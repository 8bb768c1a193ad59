"""Selects the listed repositories that are captured, by the settings."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from lambdas.shared.environment import Selection
from traffic.contract import Repository


def select(found: Iterable[Mapping[str, Any]], selection: Selection) -> list[Repository]:
    """Return the repositories that the token can push to and that the settings select."""
    return [
        Repository(id=repository["id"], name=repository["full_name"])
        for repository in found
        if (repository.get("permissions") or {}).get("push") and _is_wanted(repository, selection)
    ]


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


def _is_wanted(repository: Mapping[str, Any], selection: Selection) -> bool:
    name = repository["full_name"].lower()
    kinds = {"fork": selection.forks, "archived": selection.archived}
    return (
        _has_source(name, selection)
        and (not selection.include or any(fnmatchcase(name, glob.lower()) for glob in selection.include))
        and not any(fnmatchcase(name, glob.lower()) for glob in selection.exclude)
        and (not selection.topics or any(topic.lower() in selection.topics for topic in repository.get("topics") or ()))
        and (not selection.visibility or _visibility(repository) in selection.visibility)
        and all(
            choice == "include" or bool(repository.get(kind)) is (choice == "only") for kind, choice in kinds.items()
        )
    )


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
