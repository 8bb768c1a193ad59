"""A third of the fault matrix, for continuous integration: each fault of each call, for one of its durations."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

Case = TypeVar("Case")


def sampled(cases: Mapping[Case, Sequence[str]], seed: str) -> set[Case]:
    """Return one case of each group.

    Args:
        cases: The group of each case; cases that differ only in their duration are in one group.
        seed: The commit's hash: each commit selects other durations, so that several commits run all cases.
    """
    groups: dict[tuple[str, ...], list[Case]] = {}
    for case, group in cases.items():
        groups.setdefault(tuple(group), []).append(case)
    return {choose(members, [seed, *group]) for group, members in groups.items()}


def choose(members: Sequence[Case], names: Iterable[str]) -> Case:
    """Select a case by names only, so that every process of pytest selects the same."""
    digest = sha256("\n".join(names).encode()).digest()
    return members[int.from_bytes(digest) % len(members)]


def group_of(test: str, parameters: Mapping[str, Any]) -> list[str] | None:
    """Return the group of a test: everything but the duration; None if it is not a case of the matrix."""
    if not parameters:
        return None
    case = parameters.get("case", (*(value for name, value in sorted(parameters.items()) if name != "duration"), ""))
    if isinstance(case, tuple):  # its last part is the duration
        return [test, *map(str, case[:-1])]
    return [test, str(case.call), case.way]
