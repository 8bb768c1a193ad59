"""`traffic badge` and `traffic chart`: pictures that are true, well-formed and harmless in a README."""

import struct
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest

from cli.commands.badge import badge_text
from cli.main import traffic
from cli.pictures.badge_svg import badge_svg, short_number
from cli.pictures.chart_svg import HEIGHT, WIDTH, chart_svg, runs, upper_edge
from cli.pictures.png import png
from cli.pictures.series import numbers_by_day, read_days
from cli.terminal import UsageError
from tests.unit.cli_stack import Stack, fresh_stack
from traffic.errors import RecordError

stack = pytest.fixture(fresh_stack)

SVG = "{http://www.w3.org/2000/svg}"


def days(count: int) -> list[str]:
    """Name the days up to 2026-11-20."""
    return [(date(2026, 11, 20) - timedelta(days=age)).isoformat() for age in range(count)]


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (1234, "1.2k"), (9960, "10k"), (12345, "12k"), (1_240_000, "1.2M")],
)
def test_a_badge_writes_numbers_as_badges_do(number: int, written: str) -> None:
    """There is room for four letters."""
    assert short_number(number) == written


def test_a_badge_says_of_how_many_days_it_is() -> None:
    """A sum over a hole must not pass for that of four weeks; nothing known is not zero."""
    assert badge_text(dict.fromkeys(days(40), 100)) == "2.8k in 28 days"
    assert badge_text(dict.fromkeys(days(40)[::2], 1)) == "14 in 14 of 28 days"
    assert badge_text({"2026-11-20": 0}) == "0 in 1 of 28 days"
    assert badge_text({}) == "unknown"


def test_a_chart_has_a_gap_where_days_are_unknown() -> None:
    """A line across a hole tells of numbers that nobody knows."""
    known = {"2026-11-01": 1, "2026-11-02": 2, "2026-11-05": 3, "2026-11-08": 4, "2026-11-09": 0}
    drawn = ET.fromstring(chart_svg("octo/docs", known, {}, ("views", "visitors")))  # noqa: S314 - our own

    assert [list(run) for run in runs(known)] == [
        ["2026-11-01", "2026-11-02"], ["2026-11-05"], ["2026-11-08", "2026-11-09"]
    ]  # fmt: skip
    lines = [each for each in drawn.iter(f"{SVG}polyline") if len(each.attrib["points"].split()) > 1]
    assert len(lines) - 2 == 2  # the legend has two
    assert len(list(drawn.iter(f"{SVG}circle"))) == 1


@pytest.mark.parametrize(("most", "edge"), [(1, 4), (4, 4), (5, 8), (9, 12), (100, 100), (349, 400), (8_700, 10_000)])
def test_the_upper_edge_is_a_round_number(most: int, edge: int) -> None:
    """Readers estimate between lines at 0, 50, 100; not at 0, 87, 174."""
    assert upper_edge(most) == edge


@pytest.mark.parametrize("name", ['octo/<script>alert("x")</script>', "octo/a&b'\"", "octo/docs"])
def test_names_are_text_and_nothing_else(name: str) -> None:
    """An SVG can run scripts where it is opened by itself."""
    for picture in (badge_svg(name, name), chart_svg(name, {"2026-11-01": 1}, {}, ("views", "visitors"))):
        drawn = ET.fromstring(picture)  # noqa: S314 - our own

        assert name in drawn.attrib["aria-label"]
        assert not list(drawn.iter(f"{SVG}script"))
        assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_a_picture_is_of_the_repository_under_any_of_its_names(stack: Stack) -> None:
    """A README keeps its command when the repository is renamed."""
    stack.repository("7", "octo/old", names={"octo/old": "2026-11-01", "octo/new": "2026-11-20"})
    stack.day("octo/old", "2026-11-19", {"views-count": 5, "views-uniques": 2})
    stack.day("octo/old", "2026-11-20", {"clones-count": 4})

    name, rows = read_days(stack.deployment.record, "octo/old")

    assert name == "octo/new"
    assert numbers_by_day(rows, "views-count") == {"2026-11-19": 5}
    with pytest.raises(RecordError, match="octo/nw"):
        read_days(stack.deployment.record, "octo/nw")


def test_another_kind_of_picture_is_refused_before_anything_is_read() -> None:
    """An SVG in a file named .gif is shown nowhere."""
    for name, command, expected in (("views.gif", "chart", r"\.svg or \.png"), ("views.png", "badge", r"\.svg\.")):
        with pytest.raises(UsageError, match=rf"{name}.*{expected}"):
            traffic.main([command, "octo/docs", "--output", name], standalone_mode=False)


def test_a_png_is_the_chart_twice_as_large_with_its_text_whatever_fonts_there_are() -> None:
    """A machine without fonts would leave names and numbers out, and nobody would know which line is which."""
    pictures = [
        png(chart_svg(name, {"2026-11-01": 1, "2026-11-02": 3}, {}, ("views", "visitors"))) for name in ("a", "b")
    ]

    for picture in pictures:
        assert picture.startswith(b"\x89PNG\r\n")
        assert struct.unpack(">II", picture[16:24]) == (2 * WIDTH, 2 * HEIGHT)
    assert pictures[0] != pictures[1]
