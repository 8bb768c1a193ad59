"""Decides which repository each part of an import belongs to: by its files, by the options, or by asking a person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os.path import normpath

from cli.command import LONGEST_NAME
from cli.imports.recognizing import Part, Refusal
from cli.terminal import UsageError
from traffic.wording import counted


@dataclass(frozen=True)
class GivenNames:
    """What the options say of repositories.

    Attributes:
        repository: The repository of all files; None if it is not given.
        repositories: The repositories of single files or folders, by their path.
        owner: The owner of repositories whose files name none.
        owners: The owners of single repositories, by name.
    """

    repository: str | None
    repositories: Mapping[str, str]
    owner: str | None
    owners: Mapping[str, str]


def read_given(repositories: Sequence[str], owners: Sequence[str]) -> GivenNames:
    """Read `--repository [PATH=]OWNER/NAME` and `--owner [NAME=]OWNER`.

    Raises:
        UsageError: One is incomplete, or two are for all files.
    """
    of_paths = dict(_split(each) for each in repositories if "=" in each)
    for_all = [each for each in repositories if "=" not in each]
    wrong = [name for name in (*for_all, *of_paths.values()) if not is_full_name(name)]
    if wrong:
        shown = wrong[0] if len(wrong[0]) <= LONGEST_NAME else f"{wrong[0][:20]}..."
        raise UsageError(f"--repository is {shown!r}, expected OWNER/NAME, or PATH=OWNER/NAME.")
    if len(for_all) > 1:
        raise UsageError(
            f"--repository is {' and '.join(map(repr, for_all))}, expected one, or PATH=OWNER/NAME for each."
        )
    named = [each.partition("=") for each in owners]
    owner_of_all = [each for each in owners if "=" not in each]
    if (
        len(owner_of_all) > 1
        or not all(owner and name for name, equals, owner in named if equals)
        or "" in owner_of_all
    ):
        raise UsageError(
            f"--owner is {' and '.join(map(repr, owners))}, expected OWNER once, and NAME=OWNER for each other."
        )
    return GivenNames(
        next(iter(for_all), None),
        {normpath(path): name for path, name in of_paths.items()},
        next(iter(owner_of_all), None),
        {name: owner for name, equals, owner in named if equals},
    )


def _split(text: str) -> tuple[str, str]:
    path, _, name = text.rpartition("=")
    return path, name


def is_full_name(name: str) -> bool:
    """Whether a text is `owner/name`."""
    owner, _, rest = name.partition("/")
    return (
        bool(owner and rest)
        and "/" not in rest
        and " " not in name
        and name.isprintable()
        and len(name) <= LONGEST_NAME
    )


def name_parts(
    parts: Sequence[Part], given: GivenNames, ask: Callable[[Part], str]
) -> tuple[list[tuple[str, Part]], list[Refusal]]:
    """Return the repository of each part, and the parts whose repository nothing tells.

    Args:
        parts: What was found; parts from which nothing can be imported belong to no repository.
        given: What the options say.
        ask: Asks a person for the repository of a part; empty if nobody can tell.

    Raises:
        UsageError: An option names a path that has no part, or one repository for files of several.
    """
    parts = [part for part in parts if not part.history.empty]
    chosen = _by_path(parts, given.repositories)
    if given.repository:
        unnamed = [part for part in parts if not part.label and id(part) not in chosen]
        candidates = parts if len(parts) == 1 else unnamed
        if len(candidates) != 1:
            found = candidates or parts
            places = ", ".join(sorted({part.place for part in found}))
            raise UsageError(
                f"--repository {given.repository} is for the files of one repository, but {len(found)} were found,"
                f" in {places or 'none of the paths'}: give each with --repository PATH=OWNER/NAME, or import one."
            )
        chosen[id(candidates[0])] = given.repository
    named: list[tuple[str, Part]] = []
    refusals: list[Refusal] = []
    for part in parts:
        name = chosen.get(id(part)) or _by_label(part.label, given) or ask(part)
        if name:
            named.append((name, part))
        else:
            refusals.append(Refusal(part.place, _question(part)))
    return named, refusals


def _by_path(parts: Sequence[Part], repositories: Mapping[str, str]) -> dict[int, str]:
    chosen: dict[int, str] = {}
    for path, name in repositories.items():
        found = [part for part in parts if normpath(part.place) == path]
        if len(found) != 1:
            places = ", ".join(sorted({part.place for part in parts}))
            what = (
                f"its files are of {len(found)} repositories" if found else f"the histories are in {places or 'none'}"
            )
            raise UsageError(f"--repository {path}={name} cannot be used: {what}.")
        chosen[id(found[0])] = name
    return chosen


def _by_label(label: str, given: GivenNames) -> str:
    if is_full_name(label):
        return label
    owner = given.owners.get(label, given.owner)
    return f"{owner}/{label}" if label and owner else ""


def _question(part: Part) -> str:
    days = f"{counted(len(part.history.days), 'day', 'days')}, by {part.history.source}"
    if part.label:
        return (
            f"{part.place} has the repository {part.label} ({days}), but nothing tells its owner: "
            f"add --owner OWNER, or --owner {part.label}=OWNER."
        )
    return f"{part.place} has {days}, but nothing tells the repository: add --repository {part.place}=OWNER/NAME."
