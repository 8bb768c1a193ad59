"""`make bench`: measures, prints tables and writes docs/benchmarks.md."""

import argparse
import math
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.runs.cost_table import RUNS, rounds, transitions
from cli.runs.prices import GIGABYTE_SECOND, MEMORY, TRANSITION
from tests.bench.cost import REPOSITORIES as PRICED
from tests.bench.cost import first_version_cost, our_cost
from tests.bench.functions import BATCH, FLEET, SIZES, TIMEOUT, Taken, batch_of, batches, functions
from tests.bench.imports import import_of_many
from tests.bench.pace import REPOSITORIES, Loop, growth, overhead, paces
from tests.bench.processor import ONE_CORE, share_of
from tests.bench.reading import reading_times
from tests.bench.rebuild_times import AT_ONCE, CAPTURES, REBUILT, STORED, rebuilding_times
from tests.bench.speed import HOURLY, Speed, as_before, loop_of_the_first_version, of_one_user, of_three_tokens
from tests.bench.start_up import start_ratios
from tests.bench.world import LATENCY, Measured
from tests.bench.writes import writes_by_changed_item
from tests.measure_history import DAYS
from tests.measure_history import measure as measure_engine
from tests.simulate_year import REPOSITORIES as MANY
from tests.simulate_year import report, simulate

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"

YEAR = "## A year on one token, by `make simulate-year`"

ENGINE = "## The local engine with three years of history"
LONG, ROUNDS = 1000, 3  # repositories, and measurements of each figure

HELD = (
    "Each function runs in a new process, and the time includes its imports. In each 50 ms the process is stopped once"
    f" it has used its share of a core. AWS Lambda gives one core to {ONE_CORE:,} MB of memory, and lets each function"
    f" run for {TIMEOUT:.0f} s. If the share used is below the share given, the function waited for a server or for"
    " this machine."
)
FUNCTION_HEAD = ("function", "work", "MB given", "MB used", "share given", "share used", "processor s", "seconds")
BATCHES = "## Memory and batches\n"
FUNCTIONS = f"## Functions with their share of a core, at {FLEET:,} repositories\n"

HISTORIES = (1, 1000)

BEFORE = "ours before it had a pace (batches of 25, one repository after another)"

BEGINNING = """# Benchmarks

`make bench` writes this page. All figures come from one run on one machine, against a simulated GitHub that takes
150 ms for a call. Other load on the machine, shown below, slows down everything that takes processor time.
"""


def main() -> None:
    """Measure everything, print it, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10, 100, 1000, 10_000], help="repositories, for growth"
    )
    parser.add_argument("--histories", type=int, nargs="+", default=HISTORIES, help="repositories, for reading")
    parser.add_argument("--no-year", action="store_true", help="keep the section about the year unchanged")
    parser.add_argument(
        "--only", choices=ALONE, nargs="+", help="measure these sections, and keep the others unchanged"
    )
    given = parser.parse_args()
    if given.only:
        for name in given.only:
            replace_section(ALONE[name]())
        return
    begun = time.monotonic()
    beginning = [BEGINNING, machine()]
    grown = growth(given.sizes)
    loop, ours = paces()
    sections = [*beginning, pace_section(loop, ours), cost_section(loop)]
    sections += [speed_section(60), speed_section(150), tokens_section(), enterprise_section()]
    sections += [writes_section(), growth_section(grown), functions_section(), batches_section()]
    sections += [reading_section(given.histories), engine_section(), rebuilding_section(), import_section()]
    sections += [start_up_section()]
    year = kept_year() if given.no_year else "\n".join(f"- {line}" for line in year_lines()) + "\n"
    sections.append(f"Measured in {(time.monotonic() - begun) / 60:.0f} minutes.\n")
    PAGE.write_text("\n".join([*sections, f"{YEAR}\n\n{year}"]), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))  # noqa: T201


def replace_section(section: str) -> None:
    """Replace a section of the page, and add the day on which it was measured."""
    heading = section.partition("\n")[0]
    page = PAGE.read_text(encoding="utf-8")
    if heading not in page.splitlines():  # a new section; that about the year stays the last one
        page = page.replace(YEAR, f"{heading}\n\n{YEAR}")
    before, _, rest = page.partition(f"{heading}\n")
    _, mark, after = rest.partition("\n## ")
    today = f"\nMeasured alone, on {datetime.now(UTC):%Y-%m-%d}.\n"
    PAGE.write_text(f"{before}{section}{today}{mark}{after}", encoding="utf-8")
    print(section)  # noqa: T201


def machine() -> str:
    """Return when this was measured, on which machine and with which versions."""
    packages = ("boto3", "ministack", "requests", "aws-lambda-powertools")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({platform.machine()}, {platform.system()}),"
        f" load at the start {load:.1f}; Python {platform.python_version()}, {versions}.\n"
    )


def pace_section(loop: Loop, ours: Mapping[int, tuple[Measured, Measured]]) -> str:
    """Compare the wall time of each call to GitHub."""
    each = loop.seconds / loop.calls
    rows: list[Sequence[object]] = [
        ("the first version's loop, every day", f"{loop.seconds:.1f}", loop.calls, f"{each * 1000:.0f}", "1.0", "")
    ]
    for concurrency, runs in ours.items():
        for what, run in zip(("the first run", "a day later"), runs, strict=True):
            own = run.seconds / run.calls
            beyond = overhead(run, REPOSITORIES, concurrency)
            name = f"ours, {concurrency} at once, {what}"
            figures = (f"{run.seconds:.1f}", run.calls, f"{own * 1000:.0f}", f"{each / own:.1f}", f"{beyond:.2f}")
            rows.append((name, *figures))
    head = ("", "seconds", "calls to GitHub", "ms for a call", "times as fast for a call", "s besides GitHub's time")
    note = "The last column is the time that the engine and the functions take for each repository in one child.\n"
    return "\n".join([f"## {REPOSITORIES} repositories\n", table(head, rows), note])


def cost_section(loop: Loop) -> str:
    """Compare the costs."""
    rows = [
        ("the first version's loop", f"{first_version_cost(loop, REPOSITORIES):.2f}"),
        ("ours", f"{our_cost():.2f}"),
    ]
    note = (
        "Transitions, Lambda and DynamoDB at AWS's prices in us-east-1. The loop is priced for its time above in a"
        " function of 256 MB, ours by [the table of costs](cost.md). Ours also captures referrers and paths, and"
        " archives every answer.\n"
    )
    return "\n".join(["## Dollars for 1,000 repositories and a month\n", table(("", "dollars"), rows), note])


def speed_section(milliseconds: int) -> str:
    """Measure a run within all limits, beside the first version's loop, and ours before it had a pace."""
    latency = milliseconds / 1000
    rows = [loop_of_the_first_version(latency), as_before(BEFORE, latency), of_one_user("ours", latency)]
    return speeds(f"{milliseconds} ms a call", rows)


def tokens_section() -> str:
    """Measure runs with three tokens: the limits are those of their users."""
    return speeds(
        "three tokens",
        [
            of_three_tokens("of three users", ("mona", "hubot", "lisa"), LATENCY),
            of_three_tokens("of one user", ("mona", "mona", "mona"), LATENCY),
        ],
    )


def enterprise_section() -> str:
    """Measure a run with an Enterprise Server without limits, where nothing has to wait, beside the way before."""
    rows = [as_before(BEFORE, LATENCY, limit=None), of_one_user("ours", LATENCY, limit=None)]
    return speeds("an Enterprise Server without limits", rows)


def speeds(title: str, measured: Sequence[Speed]) -> str:
    """Write a section about runs at GitHub's own speed."""
    rows = [
        (
            each.what,
            f"{each.repositories:,}",
            f"{each.seconds:.0f}",
            f"{each.calls:,}",
            f"{each.calls / each.seconds:.1f}",
            each.refused,
            each.waits,
            each.peaks,
            f"{each.function_seconds / each.repositories:.2f}",
            f"{each.dollars:.2f}",
        )
        for each in measured
    ]
    head = ("", "repositories", "seconds", "calls", "calls a second", "refused", "waits", "peaks")
    note = (
        f"GitHub grants each user {HOURLY:,} calls an hour, 900 a minute, 100 at once, and 90 s of response time in 60"
        " s, except where it has no limits."
        " The peaks are each user's most calls in a minute, calls at once, and response seconds in a minute, as GitHub"
        " recorded them. The last two columns are the time of all functions, which have a complete core here, and the"
        " price of 1,000 repositories: transitions, Lambda and DynamoDB. Each run of ours is a first run, which writes"
        " 14 days for each repository; [the table of costs](cost.md) has the price of later ones.\n"
    )
    last = ("s of functions for each", "dollars a month")
    return "\n".join([f"## At GitHub's own speed: {title}\n", table((*head, *last), rows), note])


def writes_section() -> str:
    """Compare the number of writes with the number of items that changed."""
    rows = [(what, made, changed, ratio(made, changed)) for what, made, changed in writes_by_changed_item()]
    return "## Writes\n\n" + table(("", "writes", "items changed", "writes for each"), rows)


def growth_section(grown: Mapping[int, tuple[Measured, Measured | None]]) -> str:
    """Measure what grows with the number of repositories, with a GitHub that answers immediately."""
    rows = [
        (
            size,
            f"{first.seconds:.1f}",
            f"{first.seconds / size:.3f}",
            f"{second.seconds / size:.3f}" if second else "",
            second.changed if second else "",
            first.parent_events,
            f"{first.transitions / size:.1f}",
            f"{max(run.memory for run in (first, second) if run):.0f}",
        )
        for size, (first, second) in grown.items()
    ]
    head = ("repositories", "seconds", "for each", "in a second run", "days it changed", "events of the run")
    return "## Growth, with a GitHub that answers immediately\n\n" + table(
        (*head, "transitions for each", "MB of the largest process"), rows
    )


def functions_section() -> str:
    """Measure the time and memory of the functions that a run calls once, with their share of a core."""
    note = (
        f"{HELD} The functions do all their work over HTTP. GitHub takes no time to list, and the table holds all"
        " repositories.\n"
    )
    return "\n".join([FUNCTIONS, note, table(FUNCTION_HEAD, map(function_row, functions()))])


def batches_section() -> str:
    """Measure Fetch traffic and Store traffic with each memory, and with batches of each size."""
    measured = batches()
    rows = [
        (*function_row(taken), f"{taken.again:.2f}", f"{dollars_of(taken):.6f}", milliseconds_of(taken))
        for taken in measured
    ]
    note = (
        f"{HELD} GitHub takes {LATENCY * 1000:.0f} ms for a call, and refuses none here. The last three columns are the"
        " same work, repeated by the same process a day later, what it costs, and how long GitHub took for a call as"
        " the function measured it: the pace of a run goes by this time.\n"
    )
    sizes = [(size, f"{of_transitions(size):.3f}", f"{of_lambda(size, measured):.3f}") for size in SIZES]
    chosen = [(size, moved, ran, f"{float(moved) + float(ran):.3f}") for size, moved, ran in sizes]
    months = f"Dollars for {PRICED:,} repositories and a month, by the repositories in a batch:\n"
    head = ("batch", "transitions", "Lambda for Fetch traffic and Store traffic", "both")
    return "\n".join(
        [
            BATCHES,
            note,
            table((*FUNCTION_HEAD, "warm s", "dollars", "ms for a call"), rows),
            months,
            table(head, chosen),
        ]
    )


def function_row(taken: Taken) -> Sequence[object]:
    """Write what a function took with its share of a core."""
    return (
        taken.function,
        taken.what,
        taken.given,
        f"{taken.memory:.0f}",
        f"{share_of(taken.given):.3f}",
        f"{taken.held.share:.3f}",
        f"{taken.held.cpu_seconds:.1f}",
        f"{taken.held.seconds:.1f}",
    )


def dollars_of(taken: Taken) -> float:
    """Price the work of a warm function."""
    return (taken.again or 0.0) * taken.given / 1024 * GIGABYTE_SECOND.dollars


def milliseconds_of(taken: Taken) -> str:
    """Write GitHub's mean response time as the function measured it."""
    return f"{taken.call_seconds * 1000:.0f}" if taken.function == "FetchTraffic" else ""


def of_transitions(size: int) -> float:
    """Price a month's transitions of one child with batches of a size, and with the pauses that GitHub demands."""
    pauses = rounds(PRICED) - math.ceil(PRICED / BATCH)
    return transitions(1, math.ceil(PRICED / size) + pauses) * TRANSITION.dollars * RUNS


def of_lambda(size: int, measured: Iterable[Taken]) -> float:
    """Price a month of Fetch traffic and Store traffic with batches of a size."""
    chosen = [each for each in measured if each.what == batch_of(size) and each.given == MEMORY[each.function]]
    return sum(map(dollars_of, chosen)) * math.ceil(PRICED / size) * RUNS


def reading_section(sizes: Sequence[int] = HISTORIES) -> str:
    """Compare exports and reports with a plain dump of the same rows."""
    rows = [
        (
            f"{read.repositories:,}",
            read.what,
            f"{read.seconds:.1f}",
            f"{read.processor_seconds:.2f}",
            f"{read.seconds / read.plain:.1f}" if read.repositories > 1 else "",
            f"{read.memory:.0f}",
        )
        for read in reading_times(sizes)
    ]
    note = (
        f"Each repository has {DAYS:,} days. The plain dump is `sqlite3 -csv` on an export as SQLite, measured before"
        " each command. The column compares the times that a person waits; other load on the machine changes it.\n"
    )
    head = ("repositories", "command", "s", "processor s", "times a plain dump", "MB")
    return "\n".join(["## Reading three years of history\n", table(head, rows), note])


def engine_section() -> str:
    """Compare the local engine on a long history with the engine on an empty one."""
    sizes = (0, LONG)
    rounds = [{size: measured_engine(size) for size in sizes} for _ in range(ROUNDS)]
    best = {size: [min(figures) for figures in zip(*(each[size] for each in rounds), strict=True)] for size in sizes}
    rows = [
        (f"{size:,}", f"{start:.2f}", f"{memory:.0f}", f"{stop:.2f}") for size, (start, memory, _, stop) in best.items()
    ]
    note = f"The best of {ROUNDS} rounds; each row's history has {DAYS:,} days for each repository.\n"
    return f"{ENGINE}\n\n" + table(("repositories", "s to start", "MB", "s to stop"), rows) + f"\n{note}"


def measured_engine(repositories: int) -> tuple[float, float, float, float]:
    """Measure the engine on a new history with this number of repositories."""
    with TemporaryDirectory() as home:
        return measure_engine(Path(home), repositories)


def rebuilding_section() -> str:
    """Compare a rebuild with the way before it, and with a comparison that writes nothing."""
    times = rebuilding_times(REBUILT)
    (_, before), *_ = times
    rows = [(what, f"{seconds:.1f}", f"{before / seconds:.1f}") for what, seconds in times]
    note = (
        f"{REBUILT} repositories with three years of history in {CAPTURES} captures, on the local engine. The first row"
        f" is the time of {STORED} objects, {AT_ONCE} at once, multiplied.\n"
    )
    return "\n".join(["## Rebuilding three years of history\n", note, table(("", "seconds", "times as fast"), rows)])


def start_up_section() -> str:
    """Compare the start of functions and commands with the imports that every function needs."""
    rows = [(name, f"{seconds * 1000:.0f}", f"{times:.2f}") for name, seconds, times in start_ratios()]
    return "## Start-up\n\n" + table(("", "ms of processor time", "times requests and a client"), rows)


def import_section() -> str:
    """Compare the import of a data repository with a plain reading of its files."""
    taken = import_of_many()
    row = (f"{taken.files:,}", f"{taken.seconds:.0f}", f"{taken.plain:.0f}", f"{taken.seconds / taken.plain:.1f}")
    head = ("files", "seconds", "s to read them as CSV", "times", "MB of the largest process")
    return "## Import of sixty repositories of github-repo-stats\n\n" + table(head, [(*row, f"{taken.memory:.0f}")])


def year_lines() -> list[str]:
    """Simulate the year, and return the lines of its section."""
    return [line.replace("\t", ": ") for line in report(simulate(), MANY, 365)]


def kept_year() -> str:
    """Return the page's present section about the year."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return text.partition(f"{YEAR}\n\n")[2]


# Sections that need no figures of other sections.
ALONE: Mapping[str, Callable[[], str]] = {
    "writes": writes_section, "functions": functions_section, "batches": batches_section, "start-up": start_up_section,
    "engine": engine_section, "rebuilding": rebuilding_section, "import": import_section,
    "reading": reading_section, "pace-60": partial(speed_section, 60), "pace-150": partial(speed_section, 150),
    "tokens": tokens_section, "enterprise": enterprise_section,
}  # fmt: skip


def ratio(made: int, changed: int) -> str:
    """Return a ratio as text; 0 if nothing changed and nothing was written."""
    return f"{made / changed:.2f}" if changed else str(made)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
