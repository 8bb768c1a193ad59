"""Sets of days, written as spans: years of daily captures are one span, and each hole adds one more. Pure.

A span is its first and its last day, which both belong to it. Spans are sorted and neither touch nor overlap, so equal
sets are equal values.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from traffic.clock import days_before

Span = tuple[str, str]
Spans = tuple[Span, ...]


def spans_of(days: Iterable[str]) -> Spans:
    """Write days as spans."""
    return join([(day, day) for day in days])


def join(*sets: Iterable[Span]) -> Spans:
    """Return the days that are in any of the sets; their spans may overlap and come in any order."""
    joined: list[Span] = []
    for first, last in sorted(span for spans in sets for span in spans):
        if joined and first <= day_after(joined[-1][1]):
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def meet(one: Spans, other: Spans) -> Spans:
    """Return the days that are in both sets."""
    both = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return tuple(sorted((first, last) for first, last in both if first <= last))


def holes(spans: Spans) -> Spans:
    """Return the days that are missing between the first and the last day."""
    return tuple((day_after(before[1]), days_before(after[0], 1)) for before, after in pairwise(spans))


def days_in(spans: Iterable[Span]) -> Iterator[str]:
    """Return the days, in order."""
    for first, last in spans:
        day = first
        while day <= last:
            yield day
            day = day_after(day)


def within(day: str, spans: Iterable[Span]) -> bool:
    """Return whether a day is in the set."""
    return any(first <= day <= last for first, last in spans)


@lru_cache(maxsize=4096)  # a day is asked for in every capture of its window
def day_after(day: str) -> str:
    """Return the next day."""
    return days_before(day, -1)


def span_text(span: Span) -> str:
    """Write a span for people: `2026-11-06 to 2026-11-19`, or the one day."""
    return span[0] if span[0] == span[1] else f"{span[0]} to {span[1]}"
