"""What is the truth, what is kept, and whether a person learns of the difference: the judgement on a disturbed run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Execution, Pipeline

# By repository and day the four numbers, and by repository and list what GitHub said of its whole window.
Rows = dict[tuple[str, str], tuple[object, ...]]

LISTS = {"referrers": "referrer", "paths": "title"}  # of a snapshot, and what names a line of it


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        side: Which part of the matrix it belongs to.
        case: Its name.
        struck: How many calls failed.
        status: How the disturbed run ended.
        complete: Whether it succeeded, and captured everything.
        told: Whether a person learns of all that it did not capture.
        lost: Rows that are not the truth after one undisturbed run.
        duplicates: Rows that are in no truth.
        errors: What the disturbed run's tasks failed with, retried or not.
    """

    side: str
    case: str
    struck: int
    status: str
    complete: bool
    told: bool
    lost: int
    duplicates: int
    errors: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether something is missing and nobody learns of it."""
        return not self.complete and not self.told

    @property
    def good(self) -> bool:
        """Whether the fault struck, nothing is lost or twice there, and nothing failed in silence."""
        return self.struck > 0 and not (self.silent or self.lost or self.duplicates)


def truth_of(github: SimulatedGitHub) -> Rows:
    """Say what the tables should hold of every repository that can be pushed to."""
    rows: Rows = {}
    for repository in github.github.account.sorted_by_name():
        if repository.push:
            rows |= {(repository.name, day): tuple(told) for day, told in github.truth(repository.name).items()}
            now, source = github.github.clock.now(), github.github.traffic
            said = {"referrers": source.referrers(repository, now), "paths": source.paths(repository, now)}
            rows |= {
                (repository.name, kind): tuple((line[LISTS[kind]], line["count"], line["uniques"]) for line in lines)
                for kind, lines in said.items()
            }
    return rows


def true_before(github: SimulatedGitHub) -> Rows:
    """Return the true numbers of the days before GitHub's window, which a stale copy of an answer still has."""
    rows: Rows = {}
    for repository in github.github.account.sorted_by_name():
        window = date.fromisoformat(min(github.truth(repository.name)))
        first, last = ((window - timedelta(days=days)).isoformat() for days in (14, 1))
        told = github.truth(repository.name, first, last)
        rows |= {(repository.name, day): tuple(numbers) for day, numbers in told.items()}
    return rows


def is_part_of(row: tuple[object, ...], true: tuple[object, ...] | None) -> bool:
    """Tell whether a row holds true numbers alone; a cell that GitHub did not return is absent."""
    return true is not None and all(cell is None or cell == told for cell, told in zip(row, true, strict=True))


def kept_in(pipeline: Pipeline) -> Rows:
    """Say what the tables hold."""
    rows: Rows = {(name, day): numbers for (name, day), numbers in pipeline.numbers().items()}
    names = {id_: item["repo-name"] for id_, item in pipeline.repositories().items() if id_.isdigit()}
    days: dict[str, str] = {}
    for item in pipeline.scan("RepoTrafficSnapshots"):
        name = names[item["repo-id"]]
        day = days.setdefault(name, item["captured-on"])
        for kind in LISTS.keys() & item.keys():
            lines = tuple((line[LISTS[kind]], int(line["count"]), int(line["uniques"])) for line in item[kind])
            # A second snapshot of a repository, on another day of capture, is in no truth.
            rows[name, kind if day == item["captured-on"] else f"{kind} of {item['captured-on']}"] = lines
    return rows


def missing_names(truth: Rows, rows: Rows) -> set[str]:
    """Name the repositories of which not everything is kept."""
    return {key[0] for key, value in truth.items() if rows.get(key) != value}


def is_told(pipeline: Pipeline, execution: Execution, missing: Iterable[str], repositories: int) -> bool:
    """Say whether a person learns of what was not captured: from the run's status and a mail, or from the summary."""
    if execution.status != "SUCCEEDED":
        return any(execution.name in mail["Message"] for mail in pipeline.mail(1))
    message, names = pipeline.summary(execution)["message"], set(missing)
    claimed = f"{repositories} of {repositories} repositories captured"
    return names <= failed_names(message) and (not names or claimed not in message)


def failed_names(message: str) -> set[str]:
    """Read from a summary the names below `2 no push access. Ask ...` and its like; others stand in the news, too."""
    sections = [section.splitlines() for section in message.split("\n\n") if section[:1].isdigit()]
    return {line.split()[0] for heading, *lines in sections for line in lines if line.startswith("  ")}


def claims_all(pipeline: Pipeline, execution: Execution, repositories: int) -> bool:
    """Say whether a run succeeded and says that it captured everything."""
    claimed = f"{repositories} of {repositories} repositories captured"
    return execution.status == "SUCCEEDED" and claimed in pipeline.summary(execution)["message"]
