"""A third of the fault matrix, for continuous integration: each fault of each call, for one of its durations."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

Case = TypeVar("Case")


def sampled(cases: Mapping[Case, Sequence[str]], seed: str) -> set[Case]:
    """Choose one case of each group.

    Args:
        cases: What each case belongs to; those that differ in their duration alone belong together.
        seed: The commit's hash: another commit chooses other durations, so that a few of them run all cases.
    """
    groups: dict[tuple[str, ...], list[Case]] = {}
    for case, group in cases.items():
        groups.setdefault(tuple(group), []).append(case)
    return {choose(members, [seed, *group]) for group, members in groups.items()}


def choose(members: Sequence[Case], names: Iterable[str]) -> Case:
    """Choose one of several by names alone, so that every process of pytest chooses the same."""
    digest = sha256("\n".join(names).encode()).digest()
    return members[int.from_bytes(digest) % len(members)]


def group_of(test: str, parameters: Mapping[str, Any]) -> list[str] | None:
    """Name what a test of the matrix breaks, without for how long; None if it is no case of the matrix."""
    if not parameters:
        return None
    case = parameters.get("case", (*(value for name, value in sorted(parameters.items()) if name != "duration"), ""))
    if isinstance(case, tuple):  # its last part is the duration
        return [test, *map(str, case[:-1])]
    return [test, str(case.call), case.way]
