"""Replays of recorded answers: `python -m simulated_github replay FILE`.

The file is a CSV `repo,fetched_at_utc,date,clones_total,clones_unique,views_total,views_unique` with one line for each
day of each answer. An empty cell means that GitHub did not return the number.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from simulated_github.account import SimulatedRepository
from simulated_github.simulated_clock import parse_time
from simulated_github.sources import Metric, Period, counts_answer
from simulated_github.true_traffic import Tally
from simulated_github.windows import AnsweredDay

COLUMNS = ("repo", "fetched_at_utc", "date", "clones_total", "clones_unique", "views_total", "views_unique")
METRIC_COLUMNS: Mapping[Metric, tuple[str, str]] = {
    "views": ("views_total", "views_unique"),
    "clones": ("clones_total", "clones_unique"),
}
OVERLAP = 0.5  # the file lacks the window's uniques; assume that half of each further day's visitors are new

Answer = Mapping[Metric, list[AnsweredDay]]


class RecordingError(ValueError):
    """The file is not a recording; choose another file or correct it."""


class RecordedTraffic:
    """Repeats the last answer recorded before the simulated time.

    Args:
        recordings: The answers by repository (`owner/name`) and time.
    """

    def __init__(self, recordings: Mapping[str, Mapping[datetime, Answer]]) -> None:
        self._recordings = {
            name.lower(): [(time, answers[time]) for time in sorted(answers)] for name, answers in recordings.items()
        }
        self.repositories: Sequence[str] = list(recordings)
        self.times = sorted({time for answers in recordings.values() for time in answers})

    def counts(self, repository: SimulatedRepository, metric: Metric, now: datetime, per: Period) -> dict[str, Any]:
        """Answer `/traffic/views` or `/traffic/clones`; empty before the first recorded answer."""
        recording = self._recordings.get(repository.name.lower(), [])
        place = bisect_right(recording, now, key=lambda entry: entry[0])
        answered = recording[place - 1][1][metric] if place else []
        return counts_answer(metric, answered, OVERLAP, per)

    def paths(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/paths`, which was not recorded."""
        del repository, now
        return []

    def referrers(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/referrers`, which was not recorded."""
        del repository, now
        return []

    def truth(self, repository: SimulatedRepository, day: date) -> None:
        """Return None: only GitHub's answers were recorded, and they contradict one another."""
        del repository, day


def read_recording(file: Path, repository: str | None = None) -> RecordedTraffic:
    """Read a recording.

    Args:
        file: The CSV.
        repository: The only `owner/name` to serve; by default all in the file.

    Raises:
        RecordingError: The file cannot be read, is not such a CSV, or has no answer for that repository.
    """
    recordings: dict[str, dict[datetime, dict[Metric, list[AnsweredDay]]]] = {}
    for name, time, metric, row in _cells(file):
        if repository is None or name.lower() == repository.lower():
            answer = recordings.setdefault(name, {}).setdefault(time, {"views": [], "clones": []})
            if row is not None:
                answer[metric].append(row)
    if not recordings:
        raise RecordingError(f"{file}: no recorded answers" + (f" for {repository}" if repository else ""))
    for answers in recordings.values():
        for answer in answers.values():
            for rows in answer.values():
                rows.sort(key=lambda row: row.day)
    return RecordedTraffic(recordings)


def _cells(file: Path) -> Iterator[tuple[str, datetime, Metric, AnsweredDay | None]]:
    """Yield the two metrics of each line.

    Raises:
        RecordingError: The file cannot be read, or a line is wrong.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise RecordingError(f"{file}: the first line must name the columns {','.join(COLUMNS)}")
            for line in reader:
                try:
                    for metric, columns in METRIC_COLUMNS.items():
                        yield line["repo"], parse_time(line["fetched_at_utc"]), metric, _row(line, columns)
                except (ValueError, TypeError, AttributeError) as exc:
                    raise RecordingError(f"{file}, line {reader.line_num}: {exc}") from exc
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise RecordingError(f"{file}: {exc}") from exc


def _row(line: Mapping[str, str], columns: tuple[str, str]) -> AnsweredDay | None:
    """Return one metric of a line; None if GitHub did not return it.

    Raises:
        ValueError: The day or a number is malformed.
    """
    count, uniques = (line[column].strip() for column in columns)
    day = date.fromisoformat(line["date"])
    if not count and not uniques:
        return None
    if not (count.isdecimal() and uniques.isdecimal()):
        raise ValueError(
            f"{columns[0]} and {columns[1]} must both be numbers or both empty, not {count!r}, {uniques!r}"
        )
    return AnsweredDay(day, Tally(int(count), int(uniques)))
