"""The report's table of repositories, in a real browser."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenReport, write_page
from tests.browser.histories import HOSTILE, made_up

MOST_SECONDS = 20  # a generous bound for busy machines; the aim, 2 s, is printed beside what was measured


def names(page: Page) -> list[str]:
    """The repositories that are drawn, in their order."""
    return page.locator("#table tbody th").all_inner_texts()


def test_a_click_on_a_heading_sorts_and_another_reverses(open_report: OpenReport) -> None:
    """The order is told to screen readers, too."""
    page = open_report()
    heading = page.locator("th[data-key=name]")

    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    ascending = names(page)
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")

    assert ascending[:2] == [f"evil/{HOSTILE}", "octo/repository-0001"]
    assert names(page)[0] == "octo/repository-0059"


def test_numbers_are_sorted_as_numbers(open_report: OpenReport) -> None:
    """As texts, 9 would stand above 10."""
    cells = open_report().locator("#table tbody tr:not(.space) td:nth-child(2)").all_inner_texts()

    shown = [int(cell.replace(",", "")) for cell in cells]
    assert shown == sorted(shown, reverse=True)
    assert max(shown) > 1000


def test_search_finds_present_and_former_names(open_report: OpenReport) -> None:
    """Somebody remembers a repository by its old name."""
    page = open_report()

    page.get_by_role("searchbox").fill("OLD-0014")

    expect(page.locator("#found")).to_have_text("1 of 60")
    assert names(page) == ["octo/repository-0014"]


def test_only_rows_in_sight_are_drawn_and_scrolling_brings_the_others(open_report: OpenReport) -> None:
    """A thousand rows at once would make each key stroke of a search slow."""
    page = open_report()
    page.locator("th[data-key=name] button").click()

    drawn = names(page)
    page.locator("#rows").evaluate("box => { box.scrollTop = box.scrollHeight; }")

    expect(page.locator("#table tbody th").last).to_have_text("octo/repository-0059")
    assert len(drawn) < 40


def test_a_short_list_leaves_no_empty_box(open_report: OpenReport) -> None:
    """Most people have a handful of repositories: the page ends where they end."""
    page = open_report()
    page.get_by_role("searchbox").fill("OLD-0014")

    expect(page.locator("#found")).to_have_text("1 of 60")
    assert page.locator("#rows").evaluate("box => box.offsetHeight - box.firstElementChild.offsetHeight") < 20


def test_what_others_named_is_text_and_runs_nothing(open_report: OpenReport) -> None:
    """Names, referrers, titles and notes are strangers' words."""
    page = open_report()
    page.get_by_role("searchbox").fill("evil")

    page.locator("#table tbody th a").click()

    expect(page.locator("#repository h1")).to_have_text(f"evil/{HOSTILE}")
    expect(page.locator("#repository tbody th", has_text=HOSTILE)).to_have_count(2)
    expect(page.locator("#repository li")).to_contain_text(HOSTILE)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0


def test_the_page_is_forbidden_every_network(browser: Browser, report_file: Path) -> None:
    """Referrers are competitive data: not even a mistake of ours may carry them out."""
    page = browser.new_page()
    page.goto(report_file.as_uri())
    refused = page.evaluate("fetch('http://127.0.0.1:9/').then(() => '', error => error.name)")
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content") or ""
    page.close()

    assert refused == "TypeError"
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_the_theme_follows_the_system_and_the_button(open_report: OpenReport) -> None:
    """Whoever chose dark for all programs gets dark at once; the button overrules it."""
    page = open_report(dark=True)
    root, button = page.locator("html"), page.locator("#theme")

    expect(root).to_have_attribute("data-theme", "dark")
    button.click()
    expect(button).to_have_text("Theme: light")
    expect(root).to_have_attribute("data-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")


def test_paper_shows_every_row(open_report: OpenReport) -> None:
    """A print that ends where the screen did would look complete."""
    page = open_report()

    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert len(names(page)) == 60


@pytest.mark.slow
def test_a_thousand_repositories_of_three_years_are_painted_soon(
    browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The overview stands before the packed repositories, so that it need not wait for them."""
    path = write_page(tmp_path / "large.html", [made_up(number) for number in range(1, 1001)])
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
    size = os.path.getsize(path) / 1e6  # noqa: PTH202 - as the command does
    rows = len(names(page))
    page.close()

    with capsys.disabled():
        print(f"\n1,000 repositories x 3 years: {size:.1f} MB, first paint after {painted:.2f} s")  # noqa: T201
    assert rows > 10
    assert painted < MOST_SECONDS
    assert re.search(r"packed-999", path.read_text(encoding="utf-8"))
