"""The outcome of a disturbed run: the true rows, the stored rows, and whether a person learns of the difference."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Execution, Pipeline

# The four numbers by repository and day, and GitHub's list of its complete window by repository and kind of list.
Rows = dict[tuple[str, str], tuple[object, ...]]

LISTS = {"referrers": "referrer", "paths": "title"}  # the lists of a snapshot, and the key of their lines


@dataclass(frozen=True)
class Outcome:
    """The outcome of a case.

    Attributes:
        side: The part of the matrix.
        case: Its name.
        struck: The number of calls that failed.
        status: The status of the disturbed run.
        complete: Whether it succeeded, and captured everything.
        reported: Whether a person learns of everything that it did not capture.
        lost: The number of rows that are missing or wrong after one undisturbed run.
        duplicates: The number of rows that should not exist.
        errors: The errors of the disturbed run's tasks, retried or not.
    """

    side: str
    case: str
    struck: int
    status: str
    complete: bool
    reported: bool
    lost: int
    duplicates: int
    errors: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether something is missing and nobody learns of it."""
        return not self.complete and not self.reported

    @property
    def good(self) -> bool:
        """Whether a call failed, no row is lost or duplicate, and every failure is reported."""
        return self.struck > 0 and not (self.silent or self.lost or self.duplicates)


def truth_of(github: SimulatedGitHub) -> Rows:
    """Return the true rows of every repository with push access."""
    rows: Rows = {}
    for repository in github.github.account.sorted_by_name():
        if repository.push:
            rows |= {(repository.name, day): tuple(row) for day, row in github.truth(repository.name).items()}
            now, source = github.github.clock.now(), github.github.traffic
            lists = {"referrers": source.referrers(repository, now), "paths": source.paths(repository, now)}
            rows |= {
                (repository.name, kind): tuple((line[LISTS[kind]], line["count"], line["uniques"]) for line in lines)
                for kind, lines in lists.items()
            }
    return rows


def true_before(github: SimulatedGitHub) -> Rows:
    """Return the true numbers of the days before GitHub's window, which a stale copy of an answer still has."""
    rows: Rows = {}
    for repository in github.github.account.sorted_by_name():
        window = date.fromisoformat(min(github.truth(repository.name)))
        first, last = ((window - timedelta(days=days)).isoformat() for days in (14, 1))
        truth = github.truth(repository.name, first, last)
        rows |= {(repository.name, day): tuple(numbers) for day, numbers in truth.items()}
    return rows


def is_part_of(row: tuple[object, ...], true: tuple[object, ...] | None) -> bool:
    """Return whether a row contains only true numbers; a cell that GitHub did not return is absent."""
    return true is not None and all(cell is None or cell == number for cell, number in zip(row, true, strict=True))


def kept_in(pipeline: Pipeline) -> Rows:
    """Return the rows in the tables."""
    rows: Rows = {(name, day): numbers for (name, day), numbers in pipeline.numbers().items()}
    names = {id_: item["repo-name"] for id_, item in pipeline.repositories().items() if id_.isdigit()}
    days: dict[str, str] = {}
    for item in pipeline.scan("RepoTrafficSnapshots"):
        name = names[item["repo-id"]]
        day = days.setdefault(name, item["captured-on"])
        for kind in LISTS.keys() & item.keys():
            lines = tuple((line[LISTS[kind]], int(line["count"]), int(line["uniques"])) for line in item[kind])
            # A second snapshot of a repository, from another day of capture, is a row that should not exist.
            rows[name, kind if day == item["captured-on"] else f"{kind} of {item['captured-on']}"] = lines
    return rows


def missing_names(truth: Rows, rows: Rows) -> set[str]:
    """Return the repositories whose rows are not all stored."""
    return {key[0] for key, value in truth.items() if rows.get(key) != value}


def is_reported(pipeline: Pipeline, execution: Execution, missing: Iterable[str], repositories: int) -> bool:
    """Return whether a person learns what was not captured: from a mail about a failed run, or from the summary."""
    if execution.status != "SUCCEEDED":
        return any(execution.name in mail["Message"] for mail in pipeline.mail(1))
    message, names = pipeline.summary(execution)["message"], set(missing)
    claimed = f"{repositories} of {repositories} repositories captured"
    return names <= failed_names(message) and (not names or claimed not in message)


def failed_names(message: str) -> set[str]:
    """Return the names in a summary below headings such as `2 no push access. Ask ...`, not those in the news."""
    sections = [section.splitlines() for section in message.split("\n\n") if section[:1].isdigit()]
    return {line.split()[0] for heading, *lines in sections for line in lines if line.startswith("  ")}


def claims_all(pipeline: Pipeline, execution: Execution, repositories: int) -> bool:
    """Return whether a run succeeded and reports that it captured everything."""
    claimed = f"{repositories} of {repositories} repositories captured"
    return execution.status == "SUCCEEDED" and claimed in pipeline.summary(execution)["message"]
