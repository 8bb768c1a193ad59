"""Finds out what files were given to `traffic import`: which tool wrote each, and which repository it belongs to.

Files that belong together are a part: `views.csv` and `clones.csv` of one folder. Two folders are never joined into one
history, unless their names only tell what the files contain, such as `views/` and `clones/`.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cli.imports.csv_files import (
    ACTION,
    ANY_CSV,
    GITLYTICS,
    PIEBRO,
    PIEBRO_FOLDERS,
    PIEBRO_LISTS,
    SANGONZAL,
    heading_of,
    is_gitlytics,
    read_action,
    read_any_csv,
    read_piebro_list,
)
from cli.imports.ghstats_file import GHSTATS, read_ghstats
from cli.imports.github_repo_stats import GHRS_NAMES, GHRS_RUNNING, STATS, read_stats
from cli.imports.json_files import BY_DAY, GHTRAF, GITHUBS, NoTrafficError, read_json
from cli.imports.tool_history import OTHER_FILES, ToolHistory
from cli.terminal import CommandError

ANY_JSON = "json"
TOOLS = (STATS, ACTION, ANY_CSV, ANY_JSON, GHSTATS)  # what `--as` accepts

DATABASES = (".db", ".sqlite", ".sqlite3")
ENDINGS = (".csv", ".json", *DATABASES)

# Words in names of files and folders that tell what the numbers are, and nothing of the repository.
KIND_WORDS = {"view": "views", "views": "views", "clone": "clones", "clones": "clones"}
UNIQUES_WORDS = ("uniq", "uniques", "unique", "uv", "uvs")
OTHER_WORDS = (
    *("traffic", "stats", "github", "data", "daily", "latest", "accum", "by", "year", "month", "day", "history", "log"),
    *("snapshots", "snapshot", "repo", "ghrs", "aggregate", "count", "counts", "total", "state", "series", "top"),
    *("referrer", "referrers", "path", "paths", "json", "csv", "output", "archive"),
)
WORDS = re.compile(r"[a-z]+|\d+", re.IGNORECASE)

TASTE = 1_000_000  # bytes of a JSON file in which to look for traffic

GHRS_FOLDER = "ghrs-data"
OF_ONE = re.compile(r"traffic-(.+)")  # a folder of traffic-to-badge
PIEBRO_OWNER = "github_username.txt"  # beside the folder `data`, which has github_views/NAME.csv

WHY = {
    STATS: "the names of its files",
    ACTION: "the headings of its files",
    ANY_CSV: "a column of days",
    GHSTATS: "its tables",
    "first version": "the rows in the table",
    GITHUBS: "GitHub's own form",
    BY_DAY: "numbers by day",
    PIEBRO: "the names of its folders",
    GITLYTICS: "its name and columns",
    GHTRAF: "its list dailyHistory",
}


@dataclass
class Part:
    """Files that belong to one repository.

    Attributes:
        place: The folder or file that they are in, as the person typed it.
        label: What names the repository: `owner/name`, a name without owner, or empty if nothing does.
        told_by: What the label comes from.
        history: What they contain.
    """

    place: str
    label: str
    told_by: str
    history: ToolHistory

    @property
    def why(self) -> str:
        """What shows which tool wrote the files."""
        return WHY[self.history.source]


@dataclass(frozen=True)
class Refusal:
    """A file that cannot be imported.

    Attributes:
        path: The file or folder.
        reason: What is wrong, and what to do.
    """

    path: str
    reason: str


@dataclass
class Findings:
    """What was found in the given paths.

    Attributes:
        parts: What can be imported, by place and label.
        refusals: What cannot.
    """

    parts: list[Part] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def find(paths: Sequence[Path], tool: str | None, columns: Mapping[str, str]) -> Findings:
    """Read files, and the files in folders.

    Args:
        paths: Files and folders.
        tool: The tool that wrote all of them; None to find it out for each file.
        columns: The columns of CSV files that the person named: what each means, by its name in the file.

    Raises:
        CommandError: A path does not exist.
    """
    findings = Findings()
    parts: dict[tuple[Path, str], Part] = {}
    files = list(_files(paths))
    alike = _folders_alike([file for file, _ in files])
    for file, root in files:
        try:
            histories = _read(file, tool, columns)
        except NoTrafficError:
            if file == root or tool or _looks_like_traffic(file):
                findings.refusals.append(
                    Refusal(str(file), f"{file} has no numbers by day: did one of the tools write it?")
                )
                continue
            histories = {"": _other(file)}
        except CommandError as exc:
            findings.refusals.append(Refusal(str(file), str(exc)))
            continue
        subject = next((folder for folder in file.parents if folder in alike), None) if alike else None
        subject = subject or _subject(file.parent)
        label, told_by = _label(file, root)
        for name, history in histories.items():
            given = (name, "its column") if name else (label, told_by)
            part = parts.setdefault((subject, given[0]), Part(str(subject), *given, ToolHistory(history.source)))
            part.history.add(history)
    for key, part in parts.items():
        part.history.leave_out_unknown_uniques()
        wrong = part.history.impossible_day()
        if wrong:
            reason = f"{part.place}: {wrong}. Two files of it are mixed up: correct them, then try again."
            findings.refusals.append(Refusal(str(key[0]), reason))
        else:
            findings.parts.append(part)
    return findings


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield the files to read, each with the given path that led to it."""
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} does not exist: name the file or the folder that the tool wrote.")
        found = [(path, path)]
        if path.is_dir():
            found = [(file, path) for file in _inside(path)]
            if not found:
                raise CommandError(f"{path} has no file that ends in {', '.join(ENDINGS)}: name another folder.")
        yield from found


def _inside(path: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if name.lower().endswith(ENDINGS))


def _read(file: Path, tool: str | None, columns: Mapping[str, str]) -> dict[str, ToolHistory]:
    """Read a file; the histories in it by the repository that the file names, which can be empty."""
    ending = file.suffix.lower()
    if tool == GHSTATS or (tool is None and ending in DATABASES):
        return read_ghstats(file)
    if tool == STATS or (tool is None and file.name.endswith(GHRS_NAMES)):
        return read_stats(file)
    if tool == ANY_JSON or (tool is None and ending == ".json"):
        return {"": read_json(file, _kind(file), uniques=bool(_words(file.stem) & set(UNIQUES_WORDS)))}
    if tool or columns:
        return read_action(file) if tool == ACTION else read_any_csv(file, _kind(file), columns)
    return _read_csv(file)


def _read_csv(file: Path) -> dict[str, ToolHistory]:
    """Read a CSV file whose columns or names tell the tool, or else any CSV file."""
    heading = heading_of(file)
    if sorted(heading) in map(sorted, GHRS_RUNNING):
        return read_stats(file)
    if sorted(heading) in [sorted(("_date", *names)) for names in SANGONZAL.values()]:
        return read_action(file)
    if PIEBRO_LISTS.keys() & heading[1:2]:
        return read_piebro_list(file)
    if file.parent.name in PIEBRO_FOLDERS:
        return read_any_csv(file, _kind_of_folder(file.parent), {}, PIEBRO)
    return read_any_csv(file, _kind(file), {}, GITLYTICS if is_gitlytics(file, heading) else ANY_CSV)


def _words(name: str) -> set[str]:
    return {word.lower() for word in WORDS.findall(name)}


def _names_only_content(name: str) -> bool:
    """Whether a name tells only what numbers a file or folder contains: `github_views`, `by_year`, `2024`."""
    known = (*KIND_WORDS, *UNIQUES_WORDS, *OTHER_WORDS)
    words = _words(name)
    return bool(words) and all(word in known or word.isdecimal() for word in words)


def _kind(file: Path) -> str | None:
    """Return `views` or `clones` if the name of a file tells it, otherwise the nearest folder that does."""
    return _kind_of_name(file.stem) or _kind_of_folder(file.parent)


@lru_cache
def _kind_of_folder(folder: Path) -> str | None:
    return next(filter(None, map(_kind_of_name, reversed(folder.parts))), None)


def _kind_of_name(name: str) -> str | None:
    kinds = {KIND_WORDS[word] for word in _words(name) & KIND_WORDS.keys()}
    return kinds.pop() if len(kinds) == 1 else None


@lru_cache
def _subject(inner: Path) -> Path:
    """Return the nearest folder whose name tells more than what a file contains: its files are of one repository."""
    for folder in (inner, *inner.parents):
        if folder.name == GHRS_FOLDER:
            return folder.parent
        if not _names_only_content(folder.name):
            return folder
    return inner


def _folders_alike(files: Sequence[Path]) -> set[Path]:
    """Return the folders that must not be joined: each has a file of the same name and kind, as two repositories have.

    Folders of years are joined, because a tool keeps the files of one repository in them.
    """
    folders: dict[tuple[Path, str, str | None], set[Path]] = {}
    for file in files:
        folder, subject = _without_years(file.parent), _subject(file.parent)
        if folder != subject and GHRS_FOLDER not in folder.parts:  # otherwise, no name was passed over
            kind = folder.name if folder.name in PIEBRO_FOLDERS else _kind(file)
            folders.setdefault((subject, file.name, kind), set()).add(folder)
    return {folder for alike in folders.values() if len(alike) > 1 for folder in alike}


@lru_cache
def _without_years(folder: Path) -> Path:
    return Path(*(name for name in folder.parts if not name.isdecimal()))


def _label(file: Path, root: Path) -> tuple[str, str]:
    """Return what the names of a file and its folders say of its repository, and which of them says it.

    Only names below the given path count: those above it are the person's own.
    """
    parts = file.relative_to(root).parts if file != root else (file.name,)
    if GHRS_FOLDER in parts:
        end = parts.index(GHRS_FOLDER)
        return "/".join(parts[max(0, end - 2) : end]), "its folders"
    for name in reversed(parts[:-1]):
        of_one = OF_ONE.fullmatch(name)
        if of_one and not _names_only_content(name):
            return of_one[1], "its folder"
    if file.parent.name in PIEBRO_FOLDERS and file.suffix == ".csv":
        # Of the given path only: data/github_views/alpha.csv, with the owner's file beside `data`.
        owner = _piebro_owner(file.parents[2]) if len(parts) > len(("data", "github_views")) else ""
        return (f"{owner}/{file.stem}", f"its name and {PIEBRO_OWNER}") if owner else (file.stem, "its name")
    if (
        not _words(file.stem) & {*KIND_WORDS, *UNIQUES_WORDS, *OTHER_WORDS}
        and _words(file.parent.name) & KIND_WORDS.keys()
    ):
        return (file.stem, "its name") if file.suffix == ".csv" else ("", "")
    return "", ""


@lru_cache
def _piebro_owner(folder: Path) -> str:
    """Return the owner that a repository of piebro/github-repo-traffic-stats names; empty if it names none."""
    file = folder / PIEBRO_OWNER
    return file.read_text(encoding="utf-8", errors="replace").strip() if file.is_file() else ""


def _looks_like_traffic(file: Path) -> bool:
    text = file.read_bytes()[:TASTE]
    return any(word in text for word in (b'"uniques"', b'"views"', b'"clones"'))


def _other(file: Path) -> ToolHistory:
    history = ToolHistory(BY_DAY, [file.name])
    history.left_out[OTHER_FILES] += 1
    return history
