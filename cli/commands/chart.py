"""`traffic chart`: draws a chart of one repository, for its README."""

from pathlib import Path

import click

from cli.atomic_file import atomic_file, atomic_path
from cli.command import FILE, Target, command, read_day, read_repository
from cli.pictures.chart_svg import chart_svg
from cli.pictures.png import png
from cli.pictures.series import UNIQUES, check_ending, numbers_by_day, read_days
from cli.stack.deployment import opened
from cli.terminal import CommandError

EXAMPLES = """examples:
  traffic chart octo/docs --output views.svg                      its complete history
  traffic chart octo/docs --since 2026-01-01 --output views.png   from a day on, as PNG

An SVG follows the reader's light or dark theme. Days that GitHub did not report are gaps. The chart shows counts and
unique people by day, but no referrers and no paths.
"""


@command(EXAMPLES)
@click.argument("repository", type=read_repository, metavar="REPO", help="owner/name, owner/name~ID or the id")
@click.option("--metric", type=click.Choice(list(UNIQUES)), default="views", help="what to show (default: views)")
@click.option(
    "--output", "-o", type=FILE, metavar="FILE", help="an .svg or .png file (default: SVG on standard output)"
)
@click.option("--since", type=read_day, metavar="DAY", help="the first day to show, as 2026-11-01")
def execute(target: Target, repository: str, metric: str, output: Path | None, since: str | None) -> int:
    """Draw a chart of a repository's views or clones."""
    check_ending(output, ".svg", ".png")
    with opened(target) as deployment:
        name, rows = read_days(deployment.record, repository, since=since)
    counts, uniques = numbers_by_day(rows, f"{metric}-count"), numbers_by_day(rows, f"{metric}-uniques")
    if not counts and not uniques:
        raise CommandError(f"GitHub reported no {metric} of {name} for these days: choose an earlier --since, or none.")
    svg = chart_svg(f"{name}: {metric} by day", counts, uniques, (metric, f"unique {UNIQUES[metric]}"))
    if output is not None and output.suffix.lower() == ".png":
        with atomic_path(output) as path:
            path.write_bytes(png(svg))
    else:
        with atomic_file(output) as file:
            file.write(svg)
    return 0
