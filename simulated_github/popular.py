"""Popular paths and referrers: at most ten of each, undated, over the days of the window."""

from collections.abc import Sequence
from typing import TypedDict

from simulated_github.traffic import Tally, uniforms

MOST = 10

PATHS = (
    ("", "{name}: what {short} is for"),
    ("/blob/main/README.md", "{short}/README.md at main · {name}"),
    ("/issues", "Issues · {name}"),
    ("/releases", "Releases · {name}"),
    ("/pulls", "Pull requests · {name}"),
    ("/tree/main/docs", "{short}/docs at main · {name}"),
    ("/tree/main/src", "{short}/src at main · {name}"),
    ("/actions", "Actions · {name}"),
    ("/wiki", "Home · {name} Wiki"),
    ("/commits/main", "Commits · {name}"),
    ("/network/dependents", "Network Dependents · {name}"),
    ("/blob/main/CHANGELOG.md", "{short}/CHANGELOG.md at main · {name}"),
)

REFERRERS = (
    "Google", "github.com", "Bing", "DuckDuckGo", "news.ycombinator.com", "reddit.com", "stackoverflow.com", "pypi.org",
    "t.co", "linkedin.com", "chatgpt.com", "lobste.rs",
)  # fmt: skip


class PathTraffic(TypedDict):
    """One row of `/traffic/popular/paths`."""

    path: str
    title: str
    count: int
    uniques: int


class ReferrerTraffic(TypedDict):
    """One row of `/traffic/popular/referrers`."""

    referrer: str
    count: int
    uniques: int


def popular_paths(name: str, total: Tally, *key: object) -> list[PathTraffic]:
    """List the pages of the repository `owner/name` that were seen most.

    Args:
        name: The repository's current `owner/name`.
        total: Views and visitors of the window.
        key: What the shares depend on; the same key gives the same shares.
    """
    short = name.partition("/")[2]
    return [
        {
            "path": f"/{name}{PATHS[place][0]}",
            "title": PATHS[place][1].format(name=name, short=short),
            "count": tally.count,
            "uniques": tally.uniques,
        }
        for place, tally in _shares(total, len(PATHS), *key, "paths")
    ]


def popular_referrers(total: Tally, *key: object) -> list[ReferrerTraffic]:
    """List the sites that most visitors came from; most views have no referrer at all."""
    referred = Tally(total.count // 2, total.uniques // 2)
    return [
        {"referrer": REFERRERS[place], "count": tally.count, "uniques": tally.uniques}
        for place, tally in _shares(referred, len(REFERRERS), *key, "referrers")
    ]


def _shares(total: Tally, places: int, *key: object) -> Sequence[tuple[int, Tally]]:
    """Divide a total among places: shares halve from place to place, and some luck mixes the order."""
    luck = uniforms(*key) + uniforms(*key, "more")
    weights = [(0.5 + luck[place]) / 2 ** (place + 1) for place in range(places)]
    divided = [
        (place, Tally(int(total.count * weight / sum(weights)), int(total.uniques * weight / sum(weights)) or 1))
        for place, weight in enumerate(weights)
    ]
    seen = [(place, Tally(tally.count, min(tally.count, tally.uniques))) for place, tally in divided if tally.count]
    return sorted(seen, key=lambda entry: -entry[1].count)[:MOST]
