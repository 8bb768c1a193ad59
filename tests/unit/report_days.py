"""Days of a history for the report, as columns."""

from collections.abc import Mapping
from typing import Any

Metrics = tuple[int | None, ...]


def columns(days: Mapping[int, tuple[Metrics, str]]) -> dict[str, Any]:
    """Return the arguments of `RepositoryHistory` for some days, by their metrics and the digit of completeness."""
    if not days:
        return {}
    every = [days.get(day, ((None,) * 4, "0")) for day in range(min(days), max(days) + 1)]
    metrics = tuple(map(list, zip(*(metrics for metrics, _ in every), strict=True)))
    complete = "".join(complete for _, complete in every)
    return {"start": min(days), "metrics": metrics, "complete": complete, "imported": "0" * len(every)}
