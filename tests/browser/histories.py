"""Makes up histories with everything that a report must show: gaps, partial days, renames, notes, hostile names."""

import math
import random
from dataclasses import replace
from datetime import date

from cli.report.histories import EPOCH, RepositoryHistory
from tests.unit.report_days import Metrics, columns
from traffic.record.reading import ListedRow

NEWEST = date(2026, 11, 20).toordinal() - EPOCH

HOSTILE = "</script><img src=x onerror=window.hacked=1>"

REFERRERS = ("Google", "news.ycombinator.com", "github.com", "reddit.com", "duckduckgo.com", "dev.to", "Bing", "t.co")


def made_up(number: int, *, days: int = 3 * 365) -> RepositoryHistory:
    """Make up a repository with quiet weekends, a launch, ten days without numbers, a partial and an imported day."""
    chance = random.Random(number)  # noqa: S311 - numbers for a picture
    history = RepositoryHistory(f"octo/repository-{number:04}", (f"octo/old-{number:04}",) if number % 7 == 0 else ())
    cells: dict[int, tuple[Metrics, str]] = {}
    level = 10 ** chance.uniform(0.5, 3)
    launch = NEWEST - chance.randrange(40, days - 30)
    for day in range(NEWEST - days + 1, NEWEST + 1):
        if NEWEST - 69 < day < NEWEST - 58:
            continue
        rhythm = 0.45 if (day + 3) % 7 > 4 else 1.0
        burst = 6 * math.exp(-(day - launch) / 5) if day >= launch else 0
        views = int(level * rhythm * (1 + burst) * chance.uniform(0.7, 1.3))
        clones = int(views * chance.uniform(0.1, 0.4))
        cells[day] = (views, views // 3, clones, clones // 2), "2" if day == NEWEST - 20 else "3"
    history = replace(history, **columns(cells) | {"imported": f"{1:0{days - 30}}{'0' * 30}"})
    for day in range(NEWEST - days + 14, NEWEST + 1, 7):
        history.captures[day] = {"referrers": _listed(REFERRERS, chance), "paths": _paths(chance)}
    history.notes = [(launch, "v2 released")] if number == 1 else []
    return history


def hostile() -> RepositoryHistory:
    """Make up a repository with HTML in each of its texts."""
    history = made_up(1, days=120)
    history.name = f"evil/{HOSTILE}"
    history.notes = [(NEWEST - 10, HOSTILE)]
    history.captures = {NEWEST: {"referrers": [ListedRow(HOSTILE, 9, 3)], "paths": [ListedRow(HOSTILE, 9, 3)]}}
    return history


def _listed(names: tuple[str, ...], chance: random.Random) -> list[ListedRow]:
    shown = sorted(chance.sample(names, 6), key=names.index)
    return [ListedRow(name, chance.randrange(5, 400), chance.randrange(1, 5)) for name in shown]


def _paths(chance: random.Random) -> list[ListedRow]:
    names = ("/", "/blob/main/README.md", "/issues", "/releases", *(f"/blob/main/docs/page-{n}.md" for n in range(12)))
    return _listed(names, chance)
