"""`traffic report`: writes everything as one HTML file, to open in a browser."""

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import click

from cli.atomic_file import atomic_file, is_plain
from cli.command import FILE, Target, command
from cli.report.histories import read_histories
from cli.report.page import page_parts
from cli.stack.deployment import Deployment, opened
from cli.terminal import CommandError, inform, progress
from traffic.wording import plural

EXAMPLES = """examples:
  traffic report                               traffic-report.html, in this folder
  traffic report --aws --output traffic.html   from the stack in AWS, to a file of another name

The file needs no network and loads nothing. It contains referrers and paths, which show competitors where your
readers come from: give it only to people who may see your repositories' traffic. It appears when it is complete.
"""

REPORT = Path("traffic-report.html")

MANY = 200  # repositories between two lines of progress: about two seconds


@command(EXAMPLES)
@click.option("--output", "-o", type=FILE, default=REPORT, metavar="FILE", help=f"where to write (default: {REPORT})")
def execute(target: Target, output: Path) -> int:
    """Write one self-contained HTML file: all repositories, and a page with charts for each."""
    with opened(target) as deployment:
        write_report(deployment, output, made_at=datetime.now(UTC))
    return 0


def write_report(deployment: Deployment, path: Path, *, made_at: datetime) -> None:
    """Read everything, write the page, and print its path and size.

    Raises:
        CommandError: Nothing is stored yet, or the file cannot be written.
    """
    histories = read_histories(deployment.record, deployment.archive)
    first = next(histories, None)
    if first is None:
        raise CommandError(f"Nothing is stored yet: `traffic run{deployment.options}` captures the traffic.")
    packed = 0

    def on_packed(done: int) -> None:
        nonlocal packed
        packed = done
        if done % MANY == 0:
            progress(f"Packed {done:,} repositories.")

    every = chain([first], histories)
    with atomic_file(path, private=True) as output:
        output.writelines(page_parts(every, made_at=made_at, place=deployment.place, on_packed=on_packed))
    if not is_plain(path):
        return  # the line below would be part of what another program reads
    many = f"{packed:,} {plural(packed, 'repository', 'repositories')}"
    inform(f"{path}: {many}, {_size(path.stat().st_size)}. Private: it names your referrers.")


def _size(size: int) -> str:
    """Write a number of bytes for people: `87 KB`, `12.3 MB`."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size // 1000, 1)} KB"
