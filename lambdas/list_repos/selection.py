"""Which of the listed repositories are captured: those that the settings select. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from lambdas.shared.environment import Selection
from traffic.contract import Repository


def select(found: Iterable[Mapping[str, Any]], selection: Selection) -> list[Repository]:
    """Keep the repositories that can be pushed to and are wanted."""
    return [
        Repository(id=repository["id"], name=repository["full_name"])
        for repository in found
        if (repository.get("permissions") or {}).get("push") and _is_wanted(repository, selection)
    ]


def in_order(found: Iterable[Repository]) -> list[Repository]:
    """Give each repository once, in the order of their names: pages shift while they are read."""
    once = {repository["id"]: repository for repository in found}
    return sorted(once.values(), key=lambda repository: repository["name"].lower())


def missing_names(selected: Sequence[Repository], selection: Selection) -> list[str]:
    """Name the repositories that the settings ask for by name and that were not found, and owners that brought none."""
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
    """Tell whether a repository is asked for by its owner or by its name, or none is asked for."""
    return (
        not (selection.owners or selection.names)
        or name.partition("/")[0] in selection.owners
        or name in {wanted.lower() for wanted in selection.names}
    )


def _visibility(repository: Mapping[str, Any]) -> str:
    """Give the visibility; older GitHub Enterprise Servers tell only whether a repository is private."""
    return str(repository.get("visibility") or ("private" if repository.get("private") else "public")).lower()
