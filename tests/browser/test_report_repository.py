"""The report's page of one repository, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenReport

REPOSITORY = "octo/repository-0001"

DASH = "\N{EN DASH}"  # a number that GitHub did not report


def visit(page: Page) -> Page:
    """Go to the repository's page, and show it by day."""
    page.evaluate("location.hash = '#/octo%2Frepository-0001'")
    expect(page.locator(".u-wrap")).to_have_count(2)
    page.get_by_role("button", name="Day", exact=True).click()
    return page


def shown_days(page: Page) -> float:
    """Return how many days the chart of clones shows. Both charts share their zoom."""
    days: float = page.evaluate("(({min, max}) => (max - min) / 86400)(opened.charts[1].plot.scales.x)")
    return days


def table_rows(page: Page) -> list[list[str]]:
    """Return the rows of the table of views: period, views, visitors, remark."""
    page.get_by_text("Views as a table").click()
    expect(page.locator("details .grid").first).to_be_visible()
    rows: list[list[str]] = page.evaluate(
        "[...document.querySelector('details tbody').rows].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return rows


def test_days_without_numbers_are_gaps_and_partial_days_are_marked(open_report: OpenReport) -> None:
    """A missing number shown as zero would look like a day without visitors."""
    page = visit(open_report())

    rows = {row[0]: row[1:] for row in table_rows(page)}

    assert rows["2026-09-15"] == [DASH, DASH, "not recorded"]
    assert rows["2026-10-31"][2] == "partial"
    assert rows["2026-11-20"][2] == ""
    assert page.evaluate("opened.charts[0].plot.data[1].filter(cell => cell === null).length") == 10
    assert "10 not recorded, 1 partial" in (page.locator(".chart").first.get_attribute("aria-label") or "")


def test_days_that_were_imported_are_marked_in_their_table(open_report: OpenReport) -> None:
    """Their numbers are another tool's; only views have any here."""
    page = visit(open_report())

    rows = {row[0]: row[3] for row in table_rows(page)}

    assert [day for day, remark in rows.items() if "imported" in remark] == ["2026-10-21"]
    legends = page.locator(".legend").all_inner_texts()
    assert ["imported" in legend for legend in legends] == [True, False]


def test_the_gap_is_hatched_in_the_chart(open_report: OpenReport) -> None:
    """Without a mark, people overlook that a line stops and starts again."""
    page = visit(open_report())
    page.get_by_role("button", name="90 days").click()

    painted = """days => {
        const { ctx, bbox, valToPos } = opened.charts[0].plot;
        const [left, right] = days.map(day => Math.round(valToPos(Date.parse(day) / 1000, 'x', true)));
        const { data } = ctx.getImageData(left, bbox.top + 20, right - left, bbox.height - 40);
        return data.filter((value, index) => index % 4 === 3 && value > 0).length / (data.length / 4);
    }"""

    # The lines of the grid alone cover less than 5 percent.
    assert page.evaluate(painted, ["2026-09-14", "2026-09-19"]) > 0.1


def test_weeks_and_months_add_views_but_never_unique_visitors(open_report: OpenReport) -> None:
    """A person who comes on two days is in both numbers, so their sum is not a number of people."""
    page = visit(open_report())
    days = [row for row in table_rows(page) if row[0].startswith("2026-10")]

    page.get_by_role("button", name="Month", exact=True).click()

    expect(page.locator("details thead").first).to_contain_text("Unique visitors, best day of the month")
    (october,) = page.locator("details tbody tr", has_text="October 2026").all()
    views, visitors = (int(cell.replace(",", "")) for cell in october.locator("td").all_inner_texts()[:2])
    assert views == sum(int(day[1]) for day in days)
    assert visitors == max(int(day[2]) for day in days)


def test_zoom_by_button_mouse_and_keyboard_moves_both_charts(open_report: OpenReport) -> None:
    """Views and clones show the same range, so that people can compare them. The keyboard alone is enough."""
    page = visit(open_report())
    assert shown_days(page) > 490

    page.get_by_role("button", name="90 days").click()
    assert shown_days(page) == 90
    box = page.locator(".u-over").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 50, steps=5)
    page.mouse.up()
    assert 40 < shown_days(page) < 50
    page.locator(".chart").first.press("+")
    assert 24 < shown_days(page) < 30
    page.locator(".chart").first.press("0")
    assert shown_days(page) > 490


def test_notes_are_listed_on_the_page_of_their_repository(open_report: OpenReport) -> None:
    """A release explains a spike."""
    page = visit(open_report())

    expect(page.locator("#repository li")).to_contain_text("v2 released")


def test_ten_referrers_and_paths_are_listed_and_the_rest_on_demand(open_report: OpenReport) -> None:
    """Three years collect many paths, and most people look for the first."""
    page = visit(open_report())
    paths = page.get_by_role("region", name="Paths, scrollable").locator("tbody tr")
    expect(paths).to_have_count(10)

    page.get_by_role("button", name="Show all 16").click()

    expect(paths).to_have_count(16)
    expect(page.get_by_role("region", name="Referrers, scrollable").locator("tbody tr")).to_have_count(8)


def test_the_back_button_leads_to_the_overview(open_report: OpenReport) -> None:
    """The browser's own button works because each page has an address."""
    page = visit(open_report())
    expect(page).to_have_title(f"{REPOSITORY} - repository traffic")

    page.go_back()

    expect(page.locator("#overview")).to_be_visible()
    expect(page.locator("#repository")).to_be_hidden()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1200])
def test_axe_finds_nothing_and_nothing_overflows(open_report: OpenReport, width: int, dark: bool) -> None:
    """Check contrast, names, roles and focus, on a phone and on a desk, in light and dark."""
    page = open_report(width=width, dark=dark)
    for _page in ("overview", "repository"):
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        visit(page)
