"""`python -m simulated_github`: a GitHub on loopback, in a terminal of its own."""

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import get_args

from simulated_github import DEFAULT_REPOSITORIES, SimulatedGitHub
from simulated_github.recording import RecordingError, read_recording
from simulated_github.simulated_clock import format_time, parse_time
from simulated_github.windows import Regime

EPILOG = """\
`python -m simulated_github replay FILE` serves recorded answers instead; see its own --help.

While it runs, at the same address:
  POST /_at {"at": TIME}          set the simulated time, which goes on with real speed
  POST /_faults {"fault": NAME}   let GitHub fail (see simulated_github/faults.py); DELETE removes all faults
  POST /_repositories, /_token    rename, delete, create, change repositories; revoke the token
  GET /_calls                     every call so far; DELETE forgets them
  GET /_limits                    each user's most calls and response seconds in a minute, and calls at once
  GET /_truth?repo=R&from=D&to=D  the true numbers of complete days

Example: GITHUB_API_URL=http://127.0.0.1:8080 make run
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; return 0, or 1 if the port is taken, or 2 if the arguments are wrong."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        simulated = _replay(given[1:]) if given[:1] == ["replay"] else _seeded(given)
    except RecordingError as exc:
        print(f"simulated_github: {exc}", file=sys.stderr)
        return 2
    return 0 if simulated is None else _serve(simulated)


def _seeded(arguments: Sequence[str]) -> SimulatedGitHub:
    """Return a GitHub with made-up numbers, as the command line describes it."""
    options = _seeded_parser().parse_args(arguments)
    return SimulatedGitHub(
        repositories=options.repositories,
        owners=options.owners,
        readable=options.readable,
        seed=options.seed,
        regime=options.regime,
        lag=options.lag,
        limit=None if options.no_limits else options.limit,
        limit_window=options.limit_window,
        latency=options.latency / 1000,
        at=options.at,
        token=options.token,
        port=options.port,
        base_path=options.base_path.rstrip("/"),
    )


def _replay(arguments: Sequence[str]) -> SimulatedGitHub | None:
    """Return a GitHub that replays a recording; None if the command only lists its times.

    Raises:
        RecordingError: The file is not a recording.
    """
    options = _replay_parser().parse_args(arguments)
    recorded = read_recording(options.file, options.repository)
    if options.list_times:
        print(*map(format_time, recorded.times), sep="\n")
        return None
    return SimulatedGitHub(repositories=recorded.repositories, source=recorded, at=options.at, port=options.port)


def _serve(simulated: SimulatedGitHub) -> int:
    """Serve until a signal arrives; return the exit status."""
    stop = Event()
    try:
        with simulated:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            print(f"Simulated GitHub on {simulated.url}", flush=True)
            stop.wait()
    except OSError as exc:
        print(f"simulated_github: cannot listen on 127.0.0.1:{simulated.port}: {exc.strerror}", file=sys.stderr)
        return 1
    return 0


def _seeded_parser() -> argparse.ArgumentParser:
    """Describe the options of a GitHub with made-up numbers."""
    parser = argparse.ArgumentParser(
        prog="python -m simulated_github",
        description="Serve a GitHub with made-up repositories and traffic on 127.0.0.1, until Ctrl-C.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    _add_place(parser)
    add(
        "--repositories",
        type=_natural,
        default=DEFAULT_REPOSITORIES,
        metavar="N",
        help="how many (default: %(default)s)",
    )
    add(
        "--owners",
        nargs="+",
        default=["octo", "octo-org"],
        metavar="LOGIN",
        help="their owners; the first is the account itself",
    )
    add("--readable", nargs="+", default=[], metavar="OWNER/NAME", help="visible repositories without push access")
    add(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="the same seed results in the same numbers (default: %(default)s)",
    )
    add(
        "--regime",
        choices=get_args(Regime),
        default="by-date",
        help="window of days (default: rolling up to 2025-12-29)",
    )
    add("--lag", type=_natural, default=0, metavar="DAYS", help="days by which the newest day is older than usual")
    add("--limit", type=_natural, default=5000, metavar="L", help="calls granted in a window (default: %(default)s)")
    add(
        "--limit-window",
        type=float,
        default=3600,
        metavar="SECONDS",
        help="length of the window (default: %(default)s)",
    )
    add(
        "--no-limits",
        action="store_true",
        help="an Enterprise Server without limits (default: also 900 calls a minute, 100 at once, 90 s of answers)",
    )
    add("--latency", type=float, default=0, metavar="MS", help="milliseconds that every answer takes")
    add("--token", metavar="T", help="the only valid token (default: any token)")
    add("--base-path", default="", metavar="PATH", help="/api/v3 for GitHub Enterprise Server")
    return parser


def _replay_parser() -> argparse.ArgumentParser:
    """Describe the options of a replay."""
    parser = argparse.ArgumentParser(
        prog="python -m simulated_github replay",
        description="Serve recorded answers: the last one recorded before the simulated time, or an empty one.",
    )
    add = parser.add_argument
    add("file", type=Path, help="CSV: repo,fetched_at_utc,date,clones_total,clones_unique,views_total,views_unique")
    _add_place(parser)
    add("--repository", metavar="OWNER/NAME", help="the only one to serve (default: all in the file)")
    add("--list-times", action="store_true", help="print the times of all recorded answers, one a line, and end")
    return parser


def _add_place(parser: argparse.ArgumentParser) -> None:
    """Describe the options for the port and the time."""
    parser.add_argument("--port", type=int, default=0, metavar="PORT", help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument(
        "--at", type=_time, metavar="TIME", help="simulated time, such as 2026-11-20T09:00:00Z (default: now)"
    )


def _natural(text: str) -> int:
    """Parse a number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return int(text)


def _time(text: str) -> datetime:
    """Parse a time."""
    try:
        return parse_time(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-20T09:00:00Z") from None


if __name__ == "__main__":
    sys.exit(main())
