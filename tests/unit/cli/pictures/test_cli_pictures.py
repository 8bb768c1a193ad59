"""`traffic badge` and `traffic chart` draw pictures that are true, well-formed and harmless in a README."""

import struct
import xml.etree.ElementTree as ET
from contextlib import nullcontext
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from cli.commands.badge import badge_text
from cli.main import main, traffic
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
    """Return the last days up to 2026-11-20."""
    return [(date(2026, 11, 20) - timedelta(days=age)).isoformat() for age in range(count)]


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (1234, "1.2k"),
        (9949, "9.9k"),
        (9950, "10k"),
        (12345, "12k"),
        (999_499, "999k"),
        (999_999, "1.0M"),
        (1_240_000, "1.2M"),
    ],
)
def test_a_badge_writes_numbers_as_badges_do(number: int, written: str) -> None:
    """There is room for four letters."""
    assert short_number(number) == written


def test_a_badge_shows_how_many_days_it_covers() -> None:
    """A sum with missing days must not look like the sum of four weeks. No number at all is not zero."""
    assert badge_text(dict.fromkeys(days(40), 100)) == "2.8k in 28 days"
    assert badge_text(dict.fromkeys(days(40)[::2], 1)) == "14 in 14 of 28 days"
    assert badge_text({"2026-11-20": 0}) == "0 in 1 of 28 days"
    assert badge_text({}) == "unknown"


def test_a_chart_has_a_gap_where_days_are_unknown() -> None:
    """A line across a gap would show numbers that nobody knows."""
    known = {"2026-11-01": 1, "2026-11-02": 2, "2026-11-05": 3, "2026-11-08": 4, "2026-11-09": 0}
    drawn = ET.fromstring(chart_svg("octo/docs", known, {}, ("views", "visitors")))  # noqa: S314 - our own

    assert [list(run) for run in runs(known)] == [
        ["2026-11-01", "2026-11-02"], ["2026-11-05"], ["2026-11-08", "2026-11-09"]
    ]  # fmt: skip
    lines = [each for each in drawn.iter(f"{SVG}polyline") if len(each.attrib["points"].split()) > 1]
    assert len(lines) - 2 == 2  # the legend has two
    assert len(list(drawn.iter(f"{SVG}circle"))) == 1


EDGES = (4, 8, 12, 16, 20, 40, 60, 80, 100, 120, 160, 200, 300, 400, 600, 800, 1_000)


@pytest.mark.parametrize(
    ("most", "edge"),
    [(1, 4), *((edge, edge) for edge in EDGES), *((low + 1, edge) for low, edge in pairwise(EDGES)), (8_700, 10_000)],
)
def test_the_upper_edge_is_a_round_number(most: int, edge: int) -> None:
    """Readers estimate between lines at 0, 50, 100; not at 0, 87, 174."""
    assert upper_edge(most) == edge


@pytest.mark.parametrize("name", ['octo/<script>alert("x")</script>', "octo/a&b'\"", "octo/docs"])
def test_names_are_text_and_nothing_else(name: str) -> None:
    """An SVG can run scripts if a browser opens it directly."""
    for picture in (badge_svg(name, name), chart_svg(name, {"2026-11-01": 1}, {}, ("views", "visitors"))):
        drawn = ET.fromstring(picture)  # noqa: S314 - our own

        assert name in drawn.attrib["aria-label"]
        assert not list(drawn.iter(f"{SVG}script"))
        assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_a_repository_is_found_under_any_of_its_names(stack: Stack) -> None:
    """The same command works after the repository is renamed."""
    stack.repository("7", "octo/old", names={"octo/old": "2026-11-01", "octo/new": "2026-11-20"})
    stack.day("octo/old", "2026-11-19", {"views-count": 5, "views-uniques": 2})
    stack.day("octo/old", "2026-11-20", {"clones-count": 4})

    name, rows = read_days(stack.deployment.record, "octo/old")

    assert name == "octo/new"
    assert numbers_by_day(rows, "views-count") == {"2026-11-19": 5}
    with pytest.raises(RecordError, match="octo/nw"):
        read_days(stack.deployment.record, "octo/nw")


@pytest.fixture
def drawn_from(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Let both commands read a stack with two days of a repository."""
    stack.repository("7", "octo/old", names={"octo/old": "2026-11-01", "octo/new": "2026-11-20"})
    stack.day("octo/old", "2026-11-18", {"views-count": 1200, "views-uniques": 800})
    stack.day("octo/old", "2026-11-20", {"views-count": 34, "views-uniques": 5, "clones-count": 4})
    for command in ("badge", "chart"):
        monkeypatch.setattr(f"cli.commands.{command}.opened", lambda _target: nullcontext(stack.deployment))
    return stack


VIEWS = chart_svg(
    "octo/new: views by day",
    {"2026-11-18": 1200, "2026-11-20": 34},
    {"2026-11-18": 800, "2026-11-20": 5},
    ("views", "unique visitors"),
)
LATER_VIEWS = chart_svg("octo/new: views by day", {"2026-11-20": 34}, {"2026-11-20": 5}, ("views", "unique visitors"))
CLONES = chart_svg("octo/new: clones by day", {"2026-11-20": 4}, {}, ("clones", "unique cloners"))


@pytest.mark.usefixtures("drawn_from")
@pytest.mark.parametrize(
    ("arguments", "picture"),
    [
        (["badge", "octo/old"], badge_svg("views", "1.2k in 2 of 28 days")),
        (["badge", "7", "--metric", "clones"], badge_svg("clones", "4 in 1 of 28 days")),
        (["chart", "octo/old"], VIEWS),
        (["chart", "octo/new", "--since", "2026-11-19"], LATER_VIEWS),
        (["chart", "octo/new", "--metric", "clones"], CLONES),
    ],
)
def test_a_command_draws_to_standard_output_or_to_a_file(
    arguments: list[str], picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is complete or absent, and nothing else is printed."""
    path = tmp_path / "picture.SVG"

    assert main(arguments) == 0
    assert capsys.readouterr().out == picture
    assert main([*arguments, "--output", str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert path.read_text(encoding="utf-8") == picture


@pytest.mark.usefixtures("drawn_from")
def test_a_chart_with_the_ending_png_is_a_png(tmp_path: Path) -> None:
    """Some pages show no SVG."""
    path = tmp_path / "views.png"

    assert main(["chart", "octo/new", "--output", str(path)]) == 0
    assert path.read_bytes() == png(VIEWS)


@pytest.mark.usefixtures("drawn_from")
def test_a_chart_without_a_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty chart would look like days without visitors."""
    assert main(["chart", "octo/old", "--since", "2026-11-21"]) == 1

    assert capsys.readouterr().err == (
        "traffic: error: GitHub reported no views of octo/new for these days: choose an earlier --since, or none.\n"
    )


def test_a_chart_of_uniques_alone_is_drawn(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An import may have only one of the two numbers."""
    stack.day("octo/old", "2026-11-20", {"views-uniques": 5})
    monkeypatch.setattr("cli.commands.chart.opened", lambda _target: nullcontext(stack.deployment))

    assert main(["chart", "octo/old"]) == 0

    assert '<circle class="dot uniques"' in capsys.readouterr().out


def test_another_kind_of_picture_is_refused_before_anything_is_read() -> None:
    """No program shows an SVG in a file named .gif."""
    for name, command, expected in (("views.gif", "chart", r"\.svg or \.png"), ("views.png", "badge", r"\.svg\.")):
        with pytest.raises(UsageError, match=rf"{name}.*{expected}"):
            traffic.main([command, "octo/docs", "--output", name], standalone_mode=False)


def test_a_png_is_twice_as_large_and_shows_text_on_a_machine_without_fonts() -> None:
    """Without a font, names and numbers are missing, and the lines have no meaning."""
    pictures = [
        png(chart_svg(name, {"2026-11-01": 1, "2026-11-02": 3}, {}, ("views", "visitors"))) for name in ("a", "b")
    ]

    for picture in pictures:
        assert picture.startswith(b"\x89PNG\r\n")
        assert struct.unpack(">II", picture[16:24]) == (2 * WIDTH, 2 * HEIGHT)
    assert pictures[0] != pictures[1]
