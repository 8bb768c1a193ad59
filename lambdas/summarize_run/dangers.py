"""What is in danger: GitHub is late, repositories fail or are gone, the token expires, days are lost. Pure."""

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
from traffic.github.tokens import ANYONE, token_owner, token_text
from traffic.record.reports import READY
from traffic.record.spans import Spans, day_after, days_in, span_text, spans_of
from traffic.wording import and_more, counted, plural, repositories


@dataclass(frozen=True)
class Dangers:
    """What a run found in danger.

    Attributes:
        today: The run's day.
        newest_day: The newest day that GitHub reported to this run; None if it reported none.
        failing: How far the listed repositories are captured that were not captured in this run, by id.
        unlisted: How far the repositories are captured that were captured lately and are not listed any more.
        unreached: The same for those that this run did not look for, because it failed or their token is refused.
        excluded: How many repositories were captured lately and are left out by the settings now.
        lost: By repository, the days that were never returned completely and are lost for good.
        partial: By repository, the lost days for which GitHub returned a part.
        token_days_left: Days until the first token expires, rounded down; None if GitHub does not report it.
        token_owner: The owner whose repositories that token is for.
        usual_age: The usual age in days of GitHub's newest day.
        stale: The answers that are older than others.
        refusals: The repositories that are refused as before.
    """

    today: str
    newest_day: str | None = None
    failing: Mapping[int, Watermark] = field(default_factory=dict)
    unlisted: Sequence[Watermark] = ()
    unreached: Sequence[Watermark] = ()
    excluded: int = 0
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
        """Whether GitHub's newest day is older than usual, for all repositories."""
        return self.newest_day_age is not None and self.newest_day_age > self.usual_age

    @property
    def token_ends_soon(self) -> bool:
        """Whether the token must be replaced now."""
        return self.token_days_left is not None and self.token_days_left <= TOKEN_WARNING


def find_dangers(state: RunState, today: str, results: Sequence[Result], marks: Mapping[int, Watermark]) -> Dangers:
    """Compare the results of the run with how far every repository is captured.

    The caller adds `excluded`, `partial`, `stale` and `refusals`, which it reads from the tables.
    """
    captured = {result.id for result in results if result.outcome == CAPTURED}
    listed = {result.id for result in results}
    listing = state.get("listing", Listing(parts=0, pauses=0))
    listed_at = listing.get("listed_at")
    absent = [mark for id_, mark in marks.items() if id_ not in listed and is_recent(mark, today)]
    looked_for = [_looked_for(mark, state) for mark in absent]
    left, owner = min(_days_left_of_tokens(listing), default=(None, ANYONE))
    return Dangers(
        today,
        newest_day=max((result.newest_day or "" for result in results if result.id in captured), default="") or None,
        failing={id_: marks[id_] for id_ in listed - captured if id_ in marks},
        unlisted=[mark for mark, found in zip(absent, looked_for, strict=True) if found],
        unreached=[mark for mark, found in zip(absent, looked_for, strict=True) if not found],
        lost={mark.repo_name: lost for id_, mark in marks.items() if id_ in captured and (lost := mark.lost(today))},
        token_days_left=left,
        token_owner=owner,
        usual_age=2 if listed_at and from_text(listed_at).hour < READY else 1,
    )


def _looked_for(mark: Watermark, state: RunState) -> bool:
    """Return whether the run would have listed a repository that still exists and is within reach."""
    listing = state.get("listing", Listing(parts=0, pauses=0))
    if "manifest" not in state or "unselected" in listing:
        return False
    tokens = listing.get("tokens", {})
    return "refused" not in tokens.get(token_owner(mark.name, tokens) or ANYONE, {})


def _days_left_of_tokens(listing: Listing) -> Iterator[tuple[int, str]]:
    """Yield for each token that expires the days until then, and its owner."""
    for owner, token in listing.get("tokens", {}).items():
        if "expires" in token and "listed_at" in listing:
            left = token_days_left(token["expires"], from_text(listing["listed_at"]))
            if left is not None:
                yield left, owner


def token_lines(dangers: Dangers) -> list[str]:
    """Write that the token expires soon."""
    if dangers.token_days_left is None or not dangers.token_ends_soon:
        return []
    when = f"in {count(dangers.token_days_left)}" if dangers.token_days_left >= 0 else "now"
    named = token_text(dangers.token_owner)
    option = "" if dangers.token_owner == ANYONE else f" --owner {dangers.token_owner}"
    return [
        f"T{named[1:]} expires {when}. Nothing can be captured after that, and 13 days later days are lost for good.",
        f"Replace it in time: traffic token{option}.",
    ]


def late_lines(dangers: Dangers) -> list[str]:
    """Write that GitHub is late for all repositories, and when days will be lost because of it."""
    if not dangers.is_late or dangers.newest_day is None or dangers.newest_day_age is None:
        return []
    left = days_left(day_after(dangers.newest_day), dangers.today)
    late = f"{dangers.newest_day}, {count(dangers.newest_day_age)} ago (usually {count(dangers.usual_age)})"
    return [f"GitHub is late for all repositories: the newest day it reports is {late}. {remaining(left)}."]


def unlisted_lines(dangers: Dangers, names: int) -> list[str]:
    """List the repositories that were captured lately and are not listed now."""
    if not dangers.unlisted:
        return []
    urgent = sorted(dangers.unlisted, key=lambda mark: (mark.days_left(dangers.today) or 0, mark.name))
    lines = [f"{len(urgent)} captured lately but not listed now (deleted, no push access, or hidden from the token):"]
    lines += [f"  {mark.name}: {situation(mark, dangers.today)}" for mark in urgent[:names]]
    return lines + and_more(len(urgent), names)


def excluded_line(dangers: Dangers) -> list[str]:
    """Write how many repositories the settings leave out that were captured lately."""
    many = dangers.excluded
    if not many:
        return []
    are, their = plural(many, "is", "are"), plural(many, "its", "their")
    return [f"{repositories(many)} captured lately {are} left out by the settings now; {their} history is kept."]


def lost_lines(dangers: Dangers, names: int) -> list[str]:
    """List the days that are lost for good."""
    if not dangers.lost:
        return []
    many = counted(len(dangers.lost), "repository has", "repositories have")
    lines = [f"{many} days that GitHub never returned completely and has deleted by now:"]
    lines += [
        f"  {name}: {lost_text(spans, dangers.partial.get(name))}"
        for name, spans in sorted(dangers.lost.items())[:names]
    ]
    return lines + and_more(len(dangers.lost), names)


def urgency_line(dangers: Dangers) -> list[str]:
    """Write how much time is left for the repositories that failed."""
    reported = (mark for id_, mark in dangers.failing.items() if id_ not in dangers.refusals.known)
    left = fewest_days_left(reported, dangers.today)
    return [] if left is None else [f"{remaining(left)}, for the most urgent of the repositories that failed."]


def unreached_line(dangers: Dangers) -> list[str]:
    """Write how much time is left for the repositories that the run did not look for."""
    many, left = len(dangers.unreached), fewest_days_left(dangers.unreached, dangers.today)
    if left is None:
        return []
    rest = "" if many == 1 else ", for the most urgent of them"
    return [f"{repositories(many)} captured lately could not be listed. {remaining(left)}{rest}."]


def situation(mark: Watermark, today: str) -> str:
    """Write how far a repository is captured, and how many days are left until days of it are lost."""
    known = f"newest day {mark.newest_day or 'unknown'}, last captured on {mark.captured_on or 'no day'}"
    first = mark.first_missing(today)
    if first is None:
        return known
    left = days_left(first, today)
    if left < 0:
        return f"{known}; {span_text(lost_since(first, today))} lost for good"
    return f"{known}; {remaining(left)[0].lower()}{remaining(left)[1:]}"


def lost_text(spans: Spans, partial: frozenset[str] | None = None) -> str:
    """Write the lost days, and separately the days that are partly known."""
    some = partial or frozenset()
    lost = spans_of(day for day in days_in(spans) if day not in some)
    parts = [f"{span_text(span)} lost" for span in lost] + [f"{span_text(span)} partial" for span in spans_of(some)]
    return ", ".join(sorted(parts))
