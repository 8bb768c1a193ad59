"""`traffic badge` and `traffic chart`: pictures of one repository for its README."""

import argparse
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cli.commands.export import whole_file, whole_path
from cli.commands.note import key_of
from cli.commands.run import day
from cli.commands.show import days_of
from cli.pictures.badge import badge, short
from cli.pictures.chart import chart
from cli.pictures.png import png
from cli.stack.deployment import Deployment
from cli.stack.opening import opened
from cli.stack.repositories import find_repository
from cli.terminal import CommandError, UsageError

BADGE = """examples:
  traffic badge octo/docs --output views.svg                  views of the last 28 days that GitHub told
  traffic badge octo/docs --metric clones > clones.svg

Where GitHub told fewer than the 28 days, the badge says of how many it is.
"""

CHART = """examples:
  traffic chart octo/docs --output views.svg                      its whole life
  traffic chart octo/docs --since 2026-01-01 --output views.png   from a day on, as PNG

As SVG the picture follows the reader's light or dark theme. Days that GitHub never told are gaps. It shows counts and
each day's unique visitors; no referrers, no paths.
"""

RECENT = 28  # days of the badge: whole weeks
UNIQUES = {"views": "visitors", "clones": "cloners"}

Row = Mapping[str, Any]


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """Add `traffic badge` and `traffic chart` to the commands."""
    for name, execute, examples, kinds in (
        ("badge", execute_badge, BADGE, "an .svg file"),
        ("chart", execute_chart, CHART, "an .svg or .png file"),
    ):
        parser = commands.add_parser(
            name,
            help=f"draw a {name} of a repository, for a README",
            description=f"Draw a {name} of a repository's views or clones.",
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=parents,
        )
        parser.add_argument("repository", metavar="REPO", help="owner/name, owner/name~ID or the id")
        parser.add_argument("--metric", choices=tuple(UNIQUES), default="views", help="what to show (default: views)")
        parser.add_argument("--output", type=Path, metavar="FILE", help=f"{kinds} (default: SVG on standard output)")
        if name == "chart":
            parser.add_argument("--since", type=day, metavar="DAY", help="the first day to show, as 2026-11-01")
        parser.set_defaults(execute=execute)


def execute_badge(arguments: argparse.Namespace) -> int:
    """Draw a badge."""
    check_kind(arguments.output, ".svg")
    with opened(arguments) as deployment:
        _, rows = read(deployment, arguments.repository)
    with whole_file(arguments.output) as output:
        output.write(badge(arguments.metric, badge_text(series(rows, f"{arguments.metric}-count"))))
    return 0


def execute_chart(arguments: argparse.Namespace) -> int:
    """Draw a chart."""
    check_kind(arguments.output, ".svg", ".png")
    metric = arguments.metric
    with opened(arguments) as deployment:
        name, rows = read(deployment, arguments.repository, since=arguments.since)
    counts, uniques = series(rows, f"{metric}-count"), series(rows, f"{metric}-uniques")
    if not counts and not uniques:
        raise CommandError(f"GitHub told no {metric} of {name} for these days: choose an earlier --since, or none.")
    svg = chart(f"{name}: {metric} by day", counts, uniques, (metric, f"unique {UNIQUES[metric]}"))
    if arguments.output is not None and arguments.output.suffix.lower() == ".png":
        with whole_path(arguments.output) as path:
            path.write_bytes(png(svg))
    else:
        with whole_file(arguments.output) as output:
            output.write(svg)
    return 0


def check_kind(path: Path | None, *kinds: str) -> None:
    """Refuse a name that promises another kind of picture.

    Raises:
        UsageError: It ends in none of `kinds`.
    """
    if path is not None and path.suffix.lower() not in kinds:
        raise UsageError(f"--output {str(path)!r}: expected a name that ends in {' or '.join(kinds)}.")


def read(deployment: Deployment, asked: str, *, since: str | None = None) -> tuple[str, Sequence[Row]]:
    """Read a repository's current name and its days.

    Raises:
        CommandError: Nothing is kept of it.
    """
    key, found = key_of(deployment, asked), find_repository(deployment, asked)
    return (found.current_name if found else None) or key, list(days_of(deployment, key, since=since))


def series(rows: Sequence[Row], attribute: str) -> dict[str, int]:
    """Give one number by day; a day for which GitHub never told it is absent."""
    return {str(row["timestamp"]["S"])[:10]: int(row[attribute]["N"]) for row in rows if attribute in row}


def badge_text(counts: Mapping[str, int]) -> str:
    """Sum up the last days that GitHub told: `1.2k in 28 days`, or of how many of them."""
    if not counts:
        return "unknown"
    last = date.fromisoformat(max(counts))
    recent = {(last - timedelta(days=age)).isoformat() for age in range(RECENT)} & counts.keys()
    days = f"{RECENT} days" if len(recent) == RECENT else f"{len(recent)} of {RECENT} days"
    return f"{short(sum(counts[each] for each in recent))} in {days}"
