"""Computes what a month costs, by the number of repositories: the table in docs/cost.md. Pure."""

from collections.abc import Mapping, Sequence

from cli.runs import prices
from cli.runs.prices import GIGABYTE, MEMORY, Price

RUNS = 30  # a month
YEAR = 365  # days
SIZES = (10, 100, 1_000, 10_000)

Used = dict[Price, float]

ROWS: Mapping[str, Sequence[Price]] = {
    "state transitions": (prices.TRANSITION,),
    "Lambda": (prices.GIGABYTE_SECOND, prices.INVOCATION),
    "DynamoDB writes": (prices.WRITE,),
    "DynamoDB reads": (prices.READ,),
    "S3 requests": (prices.PUT, prices.GET),
    "logs": (prices.LOGGED, prices.LOG_STORED),
    "X-Ray traces": (prices.TRACE,),
    "secret, alarms, metrics, mail": (
        prices.SECRET, prices.SECRET_READ, prices.ALARM, prices.METRIC_HOUR, prices.MAIL, prices.KEY_USE,
    ),
}  # fmt: skip
KEPT = (prices.TABLE_STORED, prices.TABLE_RECOVERY, prices.ARCHIVED)


def dollars(used: Mapping[Price, float], *of: Price) -> float:
    """Return what the used amounts of some prices cost, without the free amount of each."""
    return sum(max(used.get(price, 0.0) - price.free, 0.0) * price.dollars for price in of)


def children(repositories: int) -> int:
    """Return the number of children of a run with one token: one for each repository, or one for all."""
    return repositories if repositories <= prices.SINGLES.value else 1


def rounds(repositories: int) -> int:
    """Return the number of batches of a run with one token, each of them once more for each pause within it."""
    if children(repositories) == repositories:
        return repositories
    pauses = -(-repositories * prices.CALLS.value // prices.CALLS_A_MINUTE.value)
    return int(-(-repositories // prices.BATCH.value) + pauses)


def transitions(children: int, rounds: int) -> float:
    """Return how many states a run and its children enter."""
    own = prices.RUN_STATES.value + children * prices.CHILD_STATES.value
    return own + rounds * prices.ROUND_STATES.value + (rounds - children) * prices.NEXT_STATES.value


def used_by_run(repositories: int) -> Used:
    """Return what a run of so many repositories uses if nothing fails."""
    parts, times = children(repositories), rounds(repositories)
    return {
        **requests_and_logs(repositories, parts, times, calls=2 + 2 * times),
        prices.TRANSITION: transitions(parts, times),
        prices.GIGABYTE_SECOND: gigabyte_seconds(repositories, times),
        prices.WRITE: writes(repositories, changed_days=repositories),
        prices.READ: reads(repositories),
        prices.SECRET_READ: 1 + prices.AT_ONCE.value,
        prices.MAIL: 1,
    }


def requests_and_logs(repositories: int, children: int, rounds: int, calls: int) -> Used:
    """Return the requests and logs of a run with so many repositories, children, rounds and calls of functions."""
    lanes, batches = (1, rounds) if rounds > children else (0, 0)
    return {
        prices.INVOCATION: calls,
        prices.PUT: prices.RUN_PUTS.value + lanes * prices.LANE_PUTS.value + rounds * prices.ROUND_PUTS.value,
        prices.GET: prices.RUN_GETS.value + rounds * prices.ROUND_GETS.value + batches * prices.BATCH_GETS.value,
        prices.LOGGED: (calls * prices.CALL_LOGGED.value + repositories * prices.REPOSITORY_LOGGED.value) / GIGABYTE,
        prices.TRACE: 1 + children,
    }


def writes(repositories: int, changed_days: int) -> float:
    """Return the units that are written: for changed days, and for each repository's entry and snapshot."""
    each = prices.ENTRY_WRITES.value + prices.SNAPSHOT_WRITES.value
    return changed_days * prices.DAY_WRITES.value + repositories * each


def reads(repositories: int) -> float:
    """Return the units that are read: by Store traffic for each repository, and by Summarize run.

    Summarize run scans the table of repositories. A scan is charged in units of 4 KB, whatever the number of items.
    """
    scanned = -(-repositories * prices.ENTRY_BYTES.value // 4096)
    return repositories * prices.REPOSITORY_READS.value + scanned + prices.NEWS_READS.value


def gigabyte_seconds(repositories: int, rounds: int) -> float:
    """Return the functions' seconds, each multiplied by the function's memory in GB."""
    further, started = repositories - rounds, starts(repositories)
    rests = rounds == repositories > prices.UNRESTED.value
    fetch = rounds * (prices.RESTED if rests else prices.FETCH).value + further * prices.FETCH_MORE.value
    store = rounds * prices.STORE.value + further * prices.STORE_MORE.value
    seconds = {
        "ListRepos": prices.LIST.value + repositories * prices.LIST_MORE.value,
        "FetchTraffic": started * prices.FETCH_START.value + fetch,
        "StoreTraffic": started * prices.STORE_START.value + store,
        "SummarizeRun": prices.SUMMARIZE.value + repositories * prices.SUMMARIZE_MORE.value,
    }
    return sum(seconds[name] * megabytes / 1024 for name, megabytes in MEMORY.items())


def starts(repositories: int) -> float:
    """Return how often Fetch traffic starts: for each child that runs at once, and after each wait of the hour."""
    if children(repositories) > 1:
        return min(repositories, prices.AT_ONCE.value)
    return 1 + repositories * prices.CALLS.value // prices.CALLS_AN_HOUR.value


def used_by_month(repositories: int) -> Used:
    """Return what a month of daily runs uses, apart from storage."""
    used = {price: amount * RUNS for price, amount in used_by_run(repositories).items()}
    return {
        **used,
        prices.LOG_STORED: used[prices.LOGGED] * prices.LOGS_KEPT.value,
        prices.SECRET: 1,
        prices.ALARM: prices.ALARMS.value,
        prices.METRIC_HOUR: prices.METRICS.value * RUNS,  # a run writes them within an hour
        prices.KEY_USE: prices.KEY_USES.value * RUNS,
    }


def kept(repositories: int, years: int) -> Used:
    """Return what is stored after so many years of daily runs, in gigabytes."""
    days = repositories * years * YEAR
    tables = days * (prices.DAY_BYTES.value + prices.SNAPSHOT_BYTES.value) + repositories * prices.ENTRY_BYTES.value
    archived = days * (prices.ANSWERS_BYTES.value + prices.LISTED_BYTES.value)
    archived += repositories * prices.RUN_DAYS.value * prices.RUN_BYTES.value
    return {
        prices.TABLE_STORED: tables / GIGABYTE,
        prices.TABLE_RECOVERY: tables / GIGABYTE,
        prices.ARCHIVED: archived / GIGABYTE,
    }


def cost_table() -> str:
    """Return the table in Markdown: dollars a month, by the number of repositories."""
    months, first, third = ([used(size) for size in SIZES] for used in (used_by_month, _one_year, _three_years))
    rows = [(what, [dollars(month, *of) for month in months]) for what, of in ROWS.items()]
    before = [dollars(month, *(price for of in ROWS.values() for price in of)) for month in months]
    for years, stored in (("one year", first), ("three years", third)):
        storage = [dollars(used, *KEPT) for used in stored]
        rows.append((f"storage and its recovery after {years}", storage))
        rows.append((f"**together, after {years}**", [sum(pair) for pair in zip(before, storage, strict=True)]))
    head = [f"| | {SIZES[0]} repositories | " + " | ".join(f"{size:,}" for size in SIZES[1:]) + " |"]
    lines = [_line(what, numbers) for what, numbers in rows]
    return "\n".join([*head, "|---" * (len(SIZES) + 1) + "|", *lines]) + "\n"


def _line(what: str, numbers: Sequence[float]) -> str:
    mark = "**" if what.startswith("**") else ""
    return f"| {what} | " + " | ".join(f"{mark}{number:.2f}{mark}" for number in numbers) + " |"


def _one_year(repositories: int) -> Used:
    return kept(repositories, 1)


def _three_years(repositories: int) -> Used:
    return kept(repositories, 3)


def main() -> None:
    """Print the table, for docs/cost.md."""
    print(cost_table(), end="")


if __name__ == "__main__":
    main()
