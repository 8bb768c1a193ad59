"""Finds repositories whose answers are older than what GitHub has: a stale copy of views, clones or both. Pure.

GitHub can answer for weeks from a copy that is no longer updated, separately for views and clones, and can alternate
between stale and fresh answers. A run notices this only by comparing its own answers: some window ends later than
another one. So a run with a single repository notices stale views beside fresh clones, but not that both are stale.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.summarize_run.deadlines import Watermark, remaining
from lambdas.summarize_run.outcome import Result
from traffic.github.answers import CAPTURED
from traffic.wording import and_more, counted

WHY = "GitHub can alternate between stale and fresh answers."
WARNING = 7  # days until days are lost: a stale answer needs attention then; before, a fresh one may still come


@dataclass(frozen=True)
class Stale:
    """The stale answers of a run.

    Attributes:
        reached: The last day of the newest window that GitHub returned to this run; empty if there was none.
        ends: By id of a repository and by kind, the last day of its stale windows.
        marks: How far these repositories are captured, by id.
        today: The run's day.
    """

    reached: str = ""
    ends: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    marks: Mapping[int, Watermark] = field(default_factory=dict)
    today: str = ""

    @property
    def in_danger(self) -> int:
        """How many of the repositories lose days within a week if no fresh answer comes."""
        return sum((self.days_left(id_) or 0) <= WARNING for id_ in self.ends)

    def days_left(self, id_: int) -> int | None:
        """Return the days that remain until days of a repository are lost; None if nothing is known about it."""
        mark = self.marks.get(id_)
        return None if mark is None else mark.days_left(self.today)


def stale_ends(results: Sequence[Result]) -> tuple[str, dict[int, dict[str, str]]]:
    """Find the windows that end earlier than that of the freshest answer of the run.

    Each answer is measured at the time at which GitHub gave it, because a run can last from one day to the next. A
    window that ends on the newest day of the run is never stale: if GitHub is late for all repositories, it is further
    behind at seven o'clock than a minute before. Repositories that were not captured are left out, because they are
    reported as failing.

    Returns:
        The last day of the newest window; and by id and kind, the last day of each stale window.
    """
    freshest = min((end.behind for result in results for end in result.ends), default=0)
    reached = max((end.day for result in results for end in result.ends), default="")
    ends: dict[int, dict[str, str]] = {}
    for result in results:
        late = dict(_late(result, freshest, reached)) if result.outcome == CAPTURED else {}
        if late:
            ends[result.id] = late
    return reached, ends


def _late(result: Result, freshest: int, reached: str) -> Iterator[tuple[str, str]]:
    """Yield the kinds whose freshest window in this run is stale, each with the last day of that window."""
    for kind in ("views", "clones"):
        found = [(end.behind, end.day) for end in result.ends if end.kind == kind]
        behind, day = min(found, default=(freshest, reached))
        if behind > freshest and day < reached:
            yield kind, day


def stale_lines(stale: Stale, names: Mapping[int, str], most: int) -> list[str]:
    """List the repositories with stale answers. Repositories about to lose days come first.

    Args:
        stale: The stale answers.
        names: The repositories' names, by id.
        most: How many to list; the others are counted.
    """
    if not stale.ends:
        return []
    urgent = sorted(stale.ends, key=lambda id_: (stale.days_left(id_) or 0, names[id_]))
    many = counted(len(urgent), "repository has", "repositories have")
    lines = [f"{many} stale answers from GitHub; other answers of this run reach {stale.reached}. Run again: {WHY}"]
    lines += [line for id_ in urgent[:most] for line in (f"  {names[id_]}", f"    {_situation(stale, id_)}")]
    return lines + and_more(len(urgent), most)


def _situation(stale: Stale, id_: int) -> str:
    ends = ", ".join(f"{kind} end on {day}" for kind, day in stale.ends[id_].items())
    left = stale.days_left(id_)
    return ends if left is None else f"{ends}; {remaining(left)[0].lower()}{remaining(left)[1:]}"
