"""`traffic badge`: draws a badge of one repository, for its README."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import click

from cli.atomic_file import atomic_file
from cli.command import FILE, Target, command, read_repository
from cli.pictures.badge_svg import badge_svg, short_number
from cli.pictures.series import UNIQUES, check_ending, numbers_by_day, read_days
from cli.stack.deployment import opened

EXAMPLES = """examples:
  traffic badge octo/docs --output views.svg                  views of the last 28 days that GitHub reported
  traffic badge octo/docs --metric clones > clones.svg

If GitHub reported fewer than 28 days, the badge shows how many.
"""

RECENT = 28  # days: complete weeks, so that each weekday counts equally


@command(EXAMPLES)
@click.argument("repository", type=read_repository, metavar="REPO", help="owner/name, owner/name~ID or the id")
@click.option("--metric", type=click.Choice(list(UNIQUES)), default="views", help="what to show (default: views)")
@click.option("--output", "-o", type=FILE, metavar="FILE", help="an .svg file (default: SVG on standard output)")
def execute(target: Target, repository: str, metric: str, output: Path | None) -> int:
    """Draw a badge of a repository's views or clones."""
    check_ending(output, ".svg")
    with opened(target) as deployment:
        _, rows = read_days(deployment.record, repository)
    with atomic_file(output) as file:
        file.write(badge_svg(metric, badge_text(numbers_by_day(rows, f"{metric}-count"))))
    return 0


def badge_text(counts: Mapping[str, int]) -> str:
    """Return the sum of the last `RECENT` days: `1.2k in 28 days`, or `14 in 9 of 28 days` if days are missing."""
    if not counts:
        return "unknown"
    last = date.fromisoformat(max(counts))
    recent = {(last - timedelta(days=age)).isoformat() for age in range(RECENT)} & counts.keys()
    days = f"{RECENT} days" if len(recent) == RECENT else f"{len(recent)} of {RECENT} days"
    return f"{short_number(sum(counts[each] for each in recent))} in {days}"
