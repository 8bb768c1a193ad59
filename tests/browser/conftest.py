"""Starts a headless Chromium, and writes reports to open in it."""

import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cli.report.histories import RepositoryHistory
from cli.report.page import page_parts
from tests.browser.histories import hostile, made_up

PATIENCE = 60_000  # milliseconds: a busy machine is slow, and no test depends on it


class OpenReport(Protocol):
    """Opens the report in a window of the given width and theme."""

    def __call__(self, *, width: int = 1200, dark: bool = False) -> Page:
        """Return the opened page."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium. Without it, its tests skip."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is missing: `apt-get install chromium`")
    # Chromium's sandbox refuses to run as root, as which containers often build. It opens only our own page here.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=arguments)
        yield launched
        launched.close()


def write_page(path: Path, histories: Sequence[RepositoryHistory]) -> Path:
    """Write a report of the histories to a file."""
    made_at = datetime(2026, 11, 21, 9, tzinfo=UTC)
    parts = page_parts(histories, made_at=made_at, place="a test", on_packed=lambda _done: None)
    path.write_text("".join(parts), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report of 60 repositories, one of them hostile."""
    histories = [made_up(number, days=500) for number in range(1, 60)]
    return write_page(tmp_path_factory.mktemp("report") / "report.html", [*histories, hostile()])


@pytest.fixture
def open_report(browser: Browser, report_file: Path) -> Iterator[OpenReport]:
    """Open the report. At the end, check that the page had no error and sent no request."""
    wrong: list[str] = []
    contexts = []

    def opened(*, width: int = 1200, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: wrong.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "blob:")) else wrong.append(asked.url))
        page.goto(report_file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
