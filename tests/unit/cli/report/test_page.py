"""The page, and what is packed into it, from histories that are made here."""

import base64
import hashlib
import json
import re
import zlib
from datetime import UTC, datetime

from cli.report import page
from cli.report.histories import RepositoryHistory
from cli.report.packing import deflated, overview_row, pack, repository_data
from tests.unit.report_days import Metrics, columns
from traffic.record.reading import ListedRow

NEWEST = 20_777  # days since 1970-01-01

NOTHING_PACKED = {
    "start": 0, "views": [], "visitors": [], "clones": [], "cloners": [], "complete": "", "imported": "",
    "notes": [], "captures": [], "referrers": {"names": [], "rows": []}, "paths": {"names": [], "rows": []},
}  # fmt: skip


def day(*metrics: int | None, complete: str = "3") -> tuple[Metrics, str]:
    """Return a day's views, visitors, clones and cloners."""
    return metrics, complete


def written(histories: list[RepositoryHistory]) -> tuple[str, list[int]]:
    """Return a page of the histories, and the calls that report how many are packed."""
    packed: list[int] = []
    made_at = datetime(2026, 11, 21, 9, tzinfo=UTC)
    return "".join(page.page_parts(histories, made_at=made_at, place="a test", on_packed=packed.append)), packed


def test_a_row_of_the_overview_covers_28_recent_days_and_13_weeks_of_views() -> None:
    """Sums skip unknown numbers. The visitors are those of the best day."""
    days = {
        NEWEST - 91: day(1000, 900, 1, 1),
        NEWEST - 90: day(500, 400, 1, 1),
        NEWEST - 28: day(100, 90, None, None),
        NEWEST - 27: day(10, 9, 8, 7),
        NEWEST - 3: day(20, 3, 16, 2),
        NEWEST: day(None, None, 0, 0),
    }

    row = overview_row(RepositoryHistory("octo/docs", ("octo/old", "octo/older"), **columns(days)), NEWEST)

    assert row == {
        "name": "octo/docs",
        "former": ["octo/old", "octo/older"],
        "last": NEWEST,
        "views": 1630,
        "clones": 26,
        "recentViews": 30,
        "peakVisitors": 9,
        "recentClones": 24,
        "spark": [500, *[None] * 61, 100, 10, *[None] * 23, 20, *[None] * 3],
    }


def test_a_repository_without_days_has_a_row_of_unknown_numbers() -> None:
    """A repository has no days before its first capture. Unknown is not zero."""
    empty = RepositoryHistory("octo/empty")

    assert overview_row(empty, None) == overview_row(empty, NEWEST) == {
        "name": "octo/empty", "former": [], "last": None, "views": None, "clones": None, "recentViews": None,
        "peakVisitors": None, "recentClones": None, "spark": [None] * 91,
    }  # fmt: skip
    assert repository_data(empty) == NOTHING_PACKED


def test_a_repository_is_packed_in_columns_with_each_name_once() -> None:
    """Notes and captures are sorted. A list that GitHub did not answer is null; an empty list stays empty."""
    history = RepositoryHistory(
        "octo/docs",
        **columns({NEWEST: day(1, 2, 3, 4), NEWEST - 2: day(5, 6, 7, 8, complete="1"),
                   NEWEST - 3: day(9, None, 0, 0, complete="2")}),
        captures={
            NEWEST: {"referrers": [ListedRow("Bing", 5, 4), ListedRow("Google", 3, 2)], "paths": []},
            NEWEST - 7: {"referrers": [ListedRow("Google", 9, 8)]},
        },
        notes=[(NEWEST, "later"), (NEWEST - 1, "earlier")],
    )  # fmt: skip

    assert repository_data(history) == {
        "start": NEWEST - 3,
        "views": [9, 5, None, 1],
        "visitors": [None, 6, None, 2],
        "clones": [0, 7, None, 3],
        "cloners": [0, 8, None, 4],
        "complete": "2103",
        "imported": "",
        "notes": [(NEWEST - 1, "earlier"), (NEWEST, "later")],
        "captures": [NEWEST - 7, NEWEST],
        "referrers": {"names": ["Google", "Bing"], "rows": [[0, 9, 8], [1, 5, 4, 0, 3, 2]]},
        "paths": {"names": [], "rows": [None, []]},
    }


def test_packed_data_is_compact_json_in_raw_deflate() -> None:
    """A thousand repositories fit into a file for a mail."""
    packed = base64.b64decode(deflated({"views": [1, None, 0] * 500}))

    assert zlib.decompress(packed, wbits=-15) == b'{"views":[' + b",".join([b"1,null,0"] * 500) + b"]}"
    assert len(packed) < 60


def test_the_overview_and_every_repository_are_in_the_page() -> None:
    """The packed parts have the numbers of the overview's rows, which are sorted by name; each is reported once."""
    html, packed = written(
        [RepositoryHistory("octo/b", **columns({NEWEST: day(1, 1, 1, 1)})), RepositoryHistory("Octo/<a>")]
    )

    (summary,) = re.findall(r'<script type="application/json" id="summary">(.*)</script>', html)
    assert "<" not in summary
    assert ", " not in summary
    overview = json.loads(summary)
    assert [row["name"] for row in overview.pop("repositories")] == ["Octo/<a>", "octo/b"]
    assert overview == {"madeAt": "2026-11-21T09:00:00Z", "place": "a test", "newest": NEWEST, "recent": 28}
    parts = re.findall(r'^<script type="text/plain" id="packed-(\d+)">([^<]+)</script>$', html, re.MULTILINE)
    unpacked = [json.loads(zlib.decompress(base64.b64decode(text), wbits=-15)) for _, text in parts]
    assert [number for number, _ in parts] == ["0", "1"]
    assert [data["views"] for data in unpacked] == [[], [1]]
    assert packed == [1, 2]


def test_of_a_packed_history_only_the_last_days_are_kept() -> None:
    """The days of 10,000 repositories over three years need two gigabytes; the overview needs sums and 13 weeks."""
    days = {NEWEST - ago: day(ago, 1, 2, 1) for ago in range(400)}
    captures = {NEWEST: {"referrers": [ListedRow("a", 1, 1)]}}
    history = RepositoryHistory("octo/a", **columns(days), captures=captures, notes=[(NEWEST, "v1")])
    expected = overview_row(history, NEWEST + 3)

    packed = pack(history)

    assert packed.row(NEWEST + 3) == expected
    assert (len(history.metrics[0]), len(history.complete), history.last) == (91, 91, NEWEST)
    assert not history.captures
    assert not history.notes


def test_a_page_without_any_day_has_no_newest_day() -> None:
    """The page then shows a dash."""
    html, _ = written([RepositoryHistory("octo/empty")])

    assert '"newest":null' in html


def test_the_page_is_its_template_with_its_styles_scripts_and_policy() -> None:
    """Scripts stand in the order in which they use each other, before the packed parts."""
    html, _ = written([])
    template = (page.FOLDER / "page.html").read_text(encoding="utf-8")
    styles = [path.read_text(encoding="utf-8") for path in page.STYLES]
    scripts = [path.read_text(encoding="utf-8") for path in page.SCRIPTS]
    summary = '{"madeAt":"2026-11-21T09:00:00Z","place":"a test","newest":null,"recent":28,"repositories":[]}'

    for name, text in {
        "POLICY": page.content_policy(styles, scripts).replace("'", "&#x27;"),
        "STYLES": "\n".join(f"<style>{each}</style>" for each in styles),
        "OVERVIEW": summary,
        "SCRIPTS": "\n".join(f"<script>{each}</script>" for each in scripts),
        "PACKED": "",
    }.items():
        assert template.count(f"<!-- {name} -->") == 1
        template = template.replace(f"<!-- {name} -->", text)
    assert html == template
    assert [path.name for path in (*page.STYLES, *page.SCRIPTS)] == [
        "uplot.min.css", "report.css", "uplot.iife.min.js", "numbers.js", "packed.js", "chart.js", "overview.js",
        "lists.js", "repository.js", "report.js",
    ]  # fmt: skip


def test_the_policy_forbids_everything_but_the_given_styles_and_scripts() -> None:
    """The browser compares the SHA-256 of each style and script with those in the policy."""
    sums = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in (b"a", b"b", b"\xc3\xa9")
    ]

    assert page.content_policy(["a"], ["b", "é"]) == (
        f"default-src 'none'; style-src {sums[0]}; script-src {sums[1]} {sums[2]}; base-uri 'none'; form-action 'none'"
    )
