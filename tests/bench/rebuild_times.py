"""Compares a rebuild with the way before it, which passed every archived object to Store traffic again."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cli.commands.verify import verify
from cli.stack.deployment import Deployment
from local.history_folder import HistoryFolder
from local.recovery import store
from local.stored_history import StoredTable
from local.stored_items import EngineTables
from simulated_github.windows import WindowRules
from tests.integration.pipeline import deployed_pipeline
from tests.unit.simulated_answers import answers, busy
from traffic.contract import ArchivedAnswer
from traffic.github.bodies import WINDOW_DAYS
from traffic.record.rebuilding import rebuild

REBUILT = 100  # repositories
CAPTURES = 79  # one every 14 days: three years
FIRST = datetime(2024, 1, 1, 9, tzinfo=UTC)
BATCH = 25  # repositories in an object
AT_ONCE = 4  # objects that Store traffic stored at the same time
STORED = 8  # objects to store in the way before; each takes seconds

TABLES = ("RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots")


def rebuilding_times(repositories: int) -> list[tuple[str, float]]:
    """Archive three years of captures, and return what was done with them and how many seconds it took.

    The seconds of the way before are those of a few objects, multiplied.
    """
    with tempfile.TemporaryDirectory() as home, deployed_pipeline(Path(home) / "history") as deployed:
        tables = HistoryFolder(deployed.engine.history).tables
        stack = Deployment(
            outputs=deployed.outputs,
            client=deployed.engine.client,
            place=home,
            parameters={},
            table=partial(StoredTable, tables),
        )
        keys = [stack.archive.put_answers(lines) for lines in objects(repositories)]
        stack.client("lambda")  # before the threads use it: boto3 makes clients safely in one thread only
        stored = partial(store, deployed.engine, deployed.outputs["StoreTrafficFunction"])
        with ThreadPoolExecutor(AT_ONCE) as functions:
            list(functions.map(stored, keys[:AT_ONCE]))  # they start
            before = seconds(lambda: list(functions.map(stored, keys[AT_ONCE : AT_ONCE + STORED])))
        empty(tables)
        rows = [("Store traffic for every object, as before", before / STORED * len(keys))]
        written = 0

        def rebuilt() -> None:
            nonlocal written
            written, left = rebuild(stack.record, stack.archive)
            if left:
                raise RuntimeError(f"{len(left)} differences stay")

        rows.append(("`traffic rebuild`, tables empty", seconds(rebuilt)))
        if written < repositories * CAPTURES * WINDOW_DAYS:
            raise RuntimeError(f"only {written} items were written")
        rows.append(("`traffic verify`", seconds(lambda: verify(stack.record, stack.archive))))
        rows.append(("`traffic rebuild`, tables right", seconds(rebuilt)))
        if written:
            raise RuntimeError(f"{written} items were written into tables that were right")
    return rows


def objects(repositories: int) -> Iterator[list[ArchivedAnswer]]:
    """Yield the lines of each object of the archive, in the order of the captures."""
    for number in range(CAPTURES):
        made = answers(FIRST + timedelta(days=14 * number), WindowRules(), busy)
        for line in made:
            if line["endpoint"] in ("referrers", "paths"):
                line["body"] = json.dumps(listed(line["endpoint"].removesuffix("s")))
        for begin in range(0, repositories, BATCH):
            ids = range(begin + 1, min(begin + BATCH, repositories) + 1)
            yield [{**line, "repo_id": id_, "repo": f"octo/repository-{id_}"} for id_ in ids for line in made]


def listed(name: str) -> list[dict[str, object]]:
    """Return the ten rows of a list of referrers or paths."""
    return [{name: f"/page/{row}", "title": f"Page {row}", "count": 90 - row, "uniques": 9} for row in range(10)]


def empty(path: Path) -> None:
    """Delete all items."""
    tables = EngineTables(path)
    for table in TABLES:
        tables.clear(table)
    tables.close()


def seconds(work: Callable[[], object]) -> float:
    """Do something, and return the seconds that it took."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
