"""The SVG of badges and charts, compared with pictures that a person has looked at."""

import re
from pathlib import Path

import pytest

from cli.pictures.badge_svg import badge_svg, width
from cli.pictures.chart_svg import chart_svg

FOLDER = Path(__file__).parent

NAMES = ("views", "unique visitors")


def test_a_badge_equals_the_approved_picture() -> None:
    """To approve another look, open the new picture in a browser and store it as `badge.svg`."""
    assert badge_svg("views", "1.2k in 28 days") == (FOLDER / "badge.svg").read_text(encoding="utf-8")


def test_a_chart_equals_the_approved_picture() -> None:
    """It has lines, lone days and gaps. To approve another look, open it in a browser and store it as `chart.svg`."""
    views = {"2026-11-01": 10, "2026-11-02": 25, "2026-11-03": 18, "2026-11-06": 40, "2026-11-10": 5, "2026-11-11": 349}
    visitors = {"2026-11-01": 4, "2026-11-02": 9, "2026-11-06": 12}

    drawn = chart_svg("octo/docs: views by day", views, visitors, NAMES)

    assert drawn == (FOLDER / "chart.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "pixels"),
    [("", 0), ("views", 36), ("fijlrtI.,:;'|! ()", 71), ("mwMW@%", 63), ("1.2k", 26), ("\N{SNOWMAN}", 7)],
)
def test_the_width_of_a_text_depends_on_its_letters(text: str, pixels: int) -> None:
    """A text that is wider than its half of the badge is cut off."""
    assert width(text) == pixels


def test_a_long_title_is_cut_before_the_legend() -> None:
    """The name of a repository may have 100 characters; screen readers read all of them."""
    fits, long = "n" * 60, "n" * 61

    assert f'y="22">{fits}</text>' in chart_svg(fits, {"2026-11-01": 1}, {}, NAMES)
    drawn = chart_svg(long, {"2026-11-01": 1}, {}, NAMES)
    assert f'y="22">{fits}...</text>' in drawn
    assert f'aria-label="{long}"><title>{long}</title>' in drawn


def test_a_single_day_is_a_dot_at_the_left_edge() -> None:
    """The chart then ends a day later, as a scale needs two different ends; zero is at the bottom."""
    drawn = chart_svg("octo/docs", {}, {"2026-11-01": 0}, NAMES)

    assert '<circle class="dot uniques" cx="52.0" cy="232.0" r="1.5"/></svg>\n' in drawn
    assert re.findall(r'<text x="([\d.]+)" y="252" text-anchor="(\w+)">([\d-]+)<', drawn) == [
        ("52.0", "start", "2026-11-01"),
        ("788.0", "end", "2026-11-02"),
    ]
    assert re.findall(r'text-anchor="end">(\d+)<', drawn) == ["0", "1", "2", "3", "4"]


def test_years_have_six_dates_below() -> None:
    """More dates would overlap."""
    drawn = chart_svg("octo/docs", {"2025-01-01": 1, "2026-01-01": 2}, {}, NAMES)

    assert re.findall(r'text-anchor="\w+">(\d{4}-\d\d-\d\d)<', drawn) == [
        "2025-01-01", "2025-03-15", "2025-05-27", "2025-08-08", "2025-10-20", "2026-01-01",
    ]  # fmt: skip
