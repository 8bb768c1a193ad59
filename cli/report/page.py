"""Writes the page: one HTML file that contains everything and must not load anything.

The overview comes before the packed repositories, so that a browser paints it while it still reads the rest.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from cli.report.histories import RepositoryHistory
from cli.report.packing import RECENT, PackedRepository, pack
from traffic.clock import to_text

FOLDER = Path(__file__).parent

# uPlot 1.6.31 draws the charts. The package youplot brings it as data; no code of that package is imported.
UPLOT = Path(str(distribution("youplot").locate_file("youplot/vendor")))

STYLES = (UPLOT / "uplot.min.css", FOLDER / "report.css")

# In this order: each script may use the ones before it.
SCRIPTS = (
    UPLOT / "uplot.iife.min.js",
    *(FOLDER / f"{name}.js" for name in ("numbers", "packed", "chart", "overview", "lists", "repository", "report")),
)


def page_parts(
    histories: Iterable[RepositoryHistory], *, made_at: datetime, place: str, on_packed: Callable[[int], None]
) -> Iterator[str]:
    """Write the page in parts, with the repositories sorted by name.

    The overview comes first, so all repositories must be read before. Only what is packed of them is kept meanwhile.

    Args:
        histories: The repositories, in any order.
        made_at: When the report was made. The page shows it.
        place: Where the numbers come from. The page shows it.
        on_packed: Called after each repository with the number of repositories packed so far.

    Yields:
        The parts of the HTML, in order.
    """
    packed: list[PackedRepository] = []
    for history in histories:
        packed.append(pack(history))
        on_packed(len(packed))
    packed.sort(key=lambda each: each.history.name.lower())
    newest = max((each.history.last for each in packed if each.history.last is not None), default=None)
    overview = {
        "madeAt": to_text(made_at),
        "place": place,
        "newest": newest,
        "recent": RECENT,
        "repositories": [each.row(newest) for each in packed],
    }
    before, after = _filled(embedded(overview)).split("<!-- PACKED -->")
    yield before
    for number, each in enumerate(packed):
        yield f'<script type="text/plain" id="packed-{number}">{each.data}</script>\n'
    yield after


def embedded(data: Any) -> str:
    """Write data as JSON for a script element. Nothing in it can end the element.

    Source:
        https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
    """
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _filled(overview: str) -> str:
    styles = [path.read_text(encoding="utf-8") for path in STYLES]
    scripts = [path.read_text(encoding="utf-8") for path in SCRIPTS]
    parts = {
        "POLICY": html.escape(content_policy(styles, scripts)),
        "STYLES": "\n".join(f"<style>{style}</style>" for style in styles),
        "OVERVIEW": overview,
        "SCRIPTS": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    template = (FOLDER / "page.html").read_text(encoding="utf-8")
    # One pass, so that no part is searched for the names of other parts.
    return re.sub(r"<!-- (POLICY|STYLES|OVERVIEW|SCRIPTS) -->", lambda found: parts[found[1]], template)


def content_policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Return a policy that allows these styles and scripts, by their hashes, and nothing else, not even the network.

    Source:
        https://www.w3.org/TR/CSP3/#grammardef-hash-source
    """
    allowed = {
        "default-src": "'none'",
        "style-src": " ".join(map(_hash, styles)),
        "script-src": " ".join(map(_hash, scripts)),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{directive} {sources}" for directive, sources in allowed.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
