"""Promise: an answer that has not the shape of GitHub's traffic is refused, before anything of it is stored."""

from typing import Any

import pytest

from traffic.github.bodies import check_body, nobody_viewed

ROW = {"timestamp": "2026-11-20T00:00:00Z", "count": 1, "uniques": 1}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"views": None},
        {"views": [{"timestamp": "2026-11-20T00:00:00Z", "count": -1, "uniques": 0}]},
        {"views": [{"timestamp": "2026-11-20T00:00:00Z", "count": True, "uniques": 0}]},
        {"views": [{"timestamp": "2026-11-20T00:00:00Z", "count": 1.5, "uniques": 0}]},
        {"views": [{"timestamp": "yesterday", "count": 1, "uniques": 1}]},
        {"views": [{"count": 1, "uniques": 1}]},
    ],
)
def test_a_body_of_another_shape_is_refused(body: object) -> None:
    """An incomplete answer or a proxy's page must not become numbers."""
    with pytest.raises(ValueError, match=r"views|timestamp"):
        check_body("views", body)


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:00:00-10:00", "", "2026-11-20"])
def test_an_invalid_day_invalidates_only_its_own_answer(timestamp: str) -> None:
    """Every body is checked before it is stored."""
    with pytest.raises(ValueError, match="timestamp"):
        check_body("views", {"views": [{"timestamp": timestamp, "count": 1, "uniques": 1}]})


def test_more_rows_than_github_can_list_are_refused() -> None:
    """A broken server's answer must not become ten thousand items."""
    check_body("views", {"views": [ROW] * 100})
    with pytest.raises(ValueError, match="the answer for views holds 101 rows"):
        check_body("views", {"views": [ROW] * 101})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"count": 0, "uniques": 0, "views": []}, True),
        ({"count": 0, "views": [{"timestamp": "2026-11-20T00:00:00Z", "count": 0, "uniques": 0}]}, True),
        ({"count": 1, "views": []}, False),
        ({"count": 0, "views": [{"timestamp": "2026-11-20T00:00:00Z", "count": 1, "uniques": 1}]}, False),
        ({"views": []}, False),
        ({"count": False, "views": []}, False),
    ],
)
def test_only_githubs_own_zero_proves_that_nobody_came(body: dict[str, Any], expected: bool) -> None:
    """Not returned is not zero: without the total, referrers and paths are asked for."""
    assert nobody_viewed("views", body) is expected
    assert nobody_viewed("clones", {**body, "clones": []}) is False
