"""What is in danger, told apart: GitHub late, a repository failing or gone, the token ending, days lost. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.summarize_run.deadlines import (
    TOKEN_WARNING,
    Watermark,
    age,
    count,
    days_left,
    fewest_days_left,
    is_recent,
    lost_since,
    remaining,
    token_days_left,
)
from lambdas.summarize_run.outcome import Result
from lambdas.summarize_run.refusals import Refusals
from lambdas.summarize_run.stale import Stale
from traffic.clock import from_text
from traffic.contract import Listing, RunState
from traffic.github.answers import CAPTURED
from traffic.github.tokens import ANYONE, token_text
from traffic.record.spans import Spans, day_after, days_in, span_text, spans_of
from traffic.record.traffic_answers import READY


@dataclass(frozen=True)
class Dangers:
    """What a run knows of what is in danger.

    Attributes:
        today: The run's day.
        newest_day: The newest day that GitHub reported to this run; None where it reported none.
        failing: How far the repositories are captured that were listed and not captured now, by id.
        unlisted: The same of those captured lately that were not listed at all.
        lost: By repository the days that were never returned whole, and are lost for good; those most recent first.
        partial: Of these by repository the days of which GitHub returned a part.
        token_days_left: Whole days until the token expires, of several the first; None where GitHub does not say.
        token_owner: Whose repositories that token is for.
        usual_age: Days by which GitHub's newest day is old when all is well.
        stale: Which answers are older than others.
        refusals: What is refused as it was before.
    """

    today: str
    newest_day: str | None = None
    failing: Mapping[int, Watermark] = field(default_factory=dict)
    unlisted: Sequence[Watermark] = ()
    lost: Mapping[str, Spans] = field(default_factory=dict)
    partial: Mapping[str, frozenset[str]] = field(default_factory=dict)
    token_days_left: int | None = None
    token_owner: str = ANYONE
    usual_age: int = 1
    stale: Stale = field(default_factory=Stale)
    refusals: Refusals = field(default_factory=Refusals)

    @property
    def newest_day_age(self) -> int | None:
        """Days since the newest day that GitHub reported."""
        return None if self.newest_day is None else age(self.newest_day, self.today)

    @property
    def is_late(self) -> bool:
        """Whether GitHub's newest day is older than usual, for everybody."""
        return self.newest_day_age is not None and self.newest_day_age > self.usual_age

    @property
    def token_ends_soon(self) -> bool:
        """Whether the token must be replaced now."""
        return self.token_days_left is not None and self.token_days_left <= TOKEN_WARNING


def find_dangers(state: RunState, today: str, results: Sequence[Result], marks: Mapping[int, Watermark]) -> Dangers:
    """Compare what the run brought with how far every repository is captured.

    The caller adds `partial`, `stale` and `refusals`, which it reads from the tables.
    """
    captured = {result.id for result in results if result.outcome == CAPTURED}
    listed = {result.id for result in results}
    listing = state.get("listing", Listing(parts=0, pauses=0))
    listed_at = listing.get("listed_at")
    left, owner = min(_days_left_of_tokens(listing), default=(None, ANYONE))
    return Dangers(
        today,
        newest_day=max((result.newest_day or "" for result in results if result.id in captured), default="") or None,
        failing={id_: marks[id_] for id_ in listed - captured if id_ in marks},
        unlisted=[mark for id_, mark in marks.items() if id_ not in listed and is_recent(mark, today)],
        lost={mark.repo_name: lost for id_, mark in marks.items() if id_ in captured and (lost := mark.lost(today))},
        token_days_left=left,
        token_owner=owner,
        usual_age=2 if listed_at and from_text(listed_at).hour < READY else 1,
    )


def _days_left_of_tokens(listing: Listing) -> Iterator[tuple[int, str]]:
    """Give for each token that expires the days until then, and its owner."""
    for owner, said in listing.get("tokens", {}).items():
        if "expires" in said and "listed_at" in listing:
            left = token_days_left(said["expires"], from_text(listing["listed_at"]))
            if left is not None:
                yield left, owner


def token_lines(dangers: Dangers) -> list[str]:
    """Say that the token ends soon."""
    if dangers.token_days_left is None or not dangers.token_ends_soon:
        return []
    when = f"in {count(dangers.token_days_left)}" if dangers.token_days_left >= 0 else "now"
    named = token_text(dangers.token_owner)
    option = "" if dangers.token_owner == ANYONE else f" --owner {dangers.token_owner}"
    return [
        f"T{named[1:]} expires {when}; nothing can be captured after that, and 13 days later days are lost for good.",
        f"Replace it in time: traffic token{option}.",
    ]


def late_lines(dangers: Dangers) -> list[str]:
    """Say that GitHub is late for everybody, and when that begins to cost days."""
    if not dangers.is_late or dangers.newest_day is None or dangers.newest_day_age is None:
        return []
    left = days_left(day_after(dangers.newest_day), dangers.today)
    late = f"{count(dangers.newest_day_age)} ago (usually {count(dangers.usual_age)})"
    return [f"GitHub is late for everybody: it reports no day after {dangers.newest_day}, {late}. {remaining(left)}."]


def unlisted_lines(dangers: Dangers, names: int) -> list[str]:
    """Name the repositories that were captured lately and are not listed now."""
    if not dangers.unlisted:
        return []
    urgent = sorted(dangers.unlisted, key=lambda mark: (mark.days_left(dangers.today) or 0, mark.name))
    lines = [
        f"{len(urgent)} captured lately and not listed now (deleted, excluded, without push access, or no listing):"
    ]
    lines += [f"  {mark.name}: {situation(mark, dangers.today)}" for mark in urgent[:names]]
    return lines + ([f"  and {len(urgent) - names} more"] if len(urgent) > names else [])


def lost_lines(dangers: Dangers, names: int) -> list[str]:
    """Name the days that are lost for good."""
    if not dangers.lost:
        return []
    lines = [f"{len(dangers.lost)} repositories have days that GitHub never returned whole and has deleted since:"]
    lines += [
        f"  {name}: {lost_text(spans, dangers.partial.get(name))}"
        for name, spans in sorted(dangers.lost.items())[:names]
    ]
    return lines + ([f"  and {len(dangers.lost) - names} more"] if len(dangers.lost) > names else [])


def urgency_line(dangers: Dangers) -> list[str]:
    """Say how long there is for the repositories that failed."""
    reported = (mark for id_, mark in dangers.failing.items() if id_ not in dangers.refusals.known)
    left = fewest_days_left(reported, dangers.today)
    return [] if left is None else [f"{remaining(left)}, for the most urgent of those that failed."]


def situation(mark: Watermark, today: str) -> str:
    """Say of a repository how far it is captured, and how long it may stay so."""
    known = f"newest day {mark.newest_day or 'unknown'}, last captured on {mark.captured_on or 'no day'}"
    first = mark.first_missing(today)
    if first is None:
        return known
    left = days_left(first, today)
    if left < 0:
        return f"{known}; {span_text(lost_since(first, today))} lost for good"
    return f"{known}; {remaining(left)[0].lower()}{remaining(left)[1:]}"


def lost_text(spans: Spans, partial: frozenset[str] | None = None) -> str:
    """Write the days that are lost, those known in part apart."""
    some = partial or frozenset()
    lost = spans_of(day for day in days_in(spans) if day not in some)
    parts = [f"{span_text(span)} lost" for span in lost] + [f"{span_text(span)} partial" for span in spans_of(some)]
    return ", ".join(sorted(parts))
