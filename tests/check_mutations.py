"""Breaks each rule of the record on purpose, and checks that a test fails: `make check-mutations`.

Each mutation is a change that somebody could make by mistake. It is made in a copy of the sources, and the tests named
beside it must then fail. If they pass, no test protects the rule: the mutation survived.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = (
    "cli",
    "docs",
    "lambdas",
    "traffic",
    "local",
    "simulated_github",
    "stacks",
    "statemachine",
    "tests",
    "README.md",
    "pyproject.toml",
)
AT_ONCE = 2


@dataclass(frozen=True)
class Mutation:
    """One rule, broken.

    Attributes:
        rule: The rule of the record, in a few words.
        file: The file with the code that follows the rule.
        right: That code. The file contains it once.
        wrong: The code that breaks the rule.
        tests: The modules of tests/unit that must fail, without `test_`.
    """

    rule: str
    file: str
    right: str
    wrong: str
    tests: str


MUTATIONS = [
    Mutation(
        "1 the highest value is kept: last write wins",
        "traffic/record/merge.py",
        "metrics[metric] = max(value, metrics.get(metric, value))",
        "metrics[metric] = value",
        "merge",
    ),
    Mutation(
        "1 the highest value is kept: first write wins",
        "traffic/record/merge.py",
        "metrics[metric] = max(value, metrics.get(metric, value))",
        "metrics.setdefault(metric, value)",
        "merge",
    ),
    Mutation(
        "1 the highest value is kept: a value that another process wrote meanwhile is overwritten",
        "traffic/record/item_table.py",
        'if exc.response["Error"]["Code"] == "ConditionalCheckFailedException":\n                return False',
        'if exc.response["Error"]["Code"] == "ConditionalCheckFailedException":\n                return True',
        "store_order",
    ),
    Mutation(
        "1 lowered values are counted: no value is counted",
        "traffic/record/merge.py",
        "return sum(value < kept.metrics.get(metric, value)",
        "return sum(value < kept.metrics.get(metric, 0) - value * 2",
        "merge",
    ),
    Mutation(
        "2 not returned is not zero: the table fills in zeros",
        "traffic/record/merge.py",
        "item = {**day.metrics, **",
        'item = {"views-count": 0, "clones-count": 0, **day.metrics, **',
        "merge",
    ),
    Mutation(
        "2 not returned is not zero: the reader fills the window with zeros",
        "traffic/record/reports.py",
        'rows = {day_of_row(row): (row["count"], row["uniques"]) for row in body[endpoint]}',
        "rows = {days_before(day_of(captured_at), n): (0, 0) for n in range(1, 14)} | "
        '{day_of_row(row): (row["count"], row["uniques"]) for row in body[endpoint]}',
        "outages",
    ),
    Mutation(
        "2 not returned is not zero: the reading room fills in zeros",
        "traffic/record/reading.py",
        'int(raw[metric]["N"]) if metric in raw else None for metric in METRICS',
        'int(raw[metric]["N"]) if metric in raw else 0 for metric in METRICS',
        "cli_export",
    ),
    Mutation(
        "2 whether a day is complete is derived: the truncated day counts as complete",
        "traffic/record/reports.py",
        "oldest = day_of(window.captured_at - WINDOW - timedelta(microseconds=1) + timedelta(days=1))",
        "oldest = day_of(window.captured_at - WINDOW)",
        "outages traffic_windows",
    ),
    Mutation(
        "2 whether a day is complete is derived: every window counts as complete days",
        "traffic/record/reports.py",
        "return all(_is_block(each) and each.captured_at >= REGIME_CHANGE and not each.enterprise for each in windows)",
        "return True",
        "outages traffic_windows",
    ),
    Mutation(
        "3 uniques are never summed: the window's uniques are the sum of the days",
        "traffic/record/reports.py",
        'totals = {f"{endpoint}-{field}": body.get(field) for field in ("count", "uniques")}',
        'totals = {f"{endpoint}-{f}": sum(row[f] for row in body[endpoint]) for f in ("count", "uniques")}',
        "window_snapshots",
    ),
    Mutation(
        "3 GitHub's own 14-day numbers are kept per capture: rows of two captures are mixed",
        "traffic/record/merge.py",
        "return max(one, other, key=lambda each: (each.since, json.dumps(each.said, sort_keys=True)))",
        "return Statement({**one.said, **other.said}, max(one.since, other.since))",
        "merge",
    ),
    Mutation(
        "4 the raw answer is kept: its spaces are removed",
        "lambdas/fetch_traffic/asking.py",
        'body = answer.body.decode("utf-8", "replace")',
        'body = " ".join(answer.body.decode("utf-8", "replace").split())',
        "archive",
    ),
    Mutation(
        "1 a running number is kept as it was at the capture: the highest of a day is kept",
        "traffic/record/merge.py",
        "if (each.since, each.source) == (since, source)]",
        "]",
        "merge sources",
    ),
    Mutation(
        "1 a running number is kept as it was at the capture: an import's passes for GitHub's",
        "traffic/record/merge.py",
        "return {**item, SOURCES: sources} if sources else item\n\n\ndef written_snapshot",
        "return item\n\n\ndef written_snapshot",
        "merge sources",
    ),
    Mutation(
        "2 not returned is not zero: a repository counts as captured without its referrers",
        "lambdas/fetch_traffic/batch.py",
        "each not in bad and not (bad and each.endpoint == LAST)",
        "each not in bad",
        "fetch_together",
    ),
    Mutation(
        "4 the raw answer is immutable: a second write replaces it",
        "traffic/record/archive.py",
        'ContentType="application/gzip", IfNoneMatch="*"',
        'ContentType="application/gzip"',
        "archive",
    ),
    Mutation(
        "4 the table can be rebuilt: imports are left out",
        "traffic/record/archive.py",
        'STORED = ("answers/", IMPORTS)',
        'STORED = ("answers/",)',
        "cli_import",
    ),
    Mutation(
        "4 the table can be rebuilt: the captures are stored in reverse order",
        "traffic/record/archive.py",
        "return sorted(found, key=lambda key: key.rpartition",
        "return sorted(found, reverse=True, key=lambda key: key.rpartition",
        "cli_rebuild cli_import store_identity",
    ),
    Mutation(
        "4 the table can be rebuilt: a rebuild lowers what a table holds higher",
        "traffic/record/comparison.py",
        "merge_days(Day(unexplained, held.complete, sources), day))}",
        "day)}",
        "rebuild_losses",
    ),
    Mutation(
        "5 identity is the id: a rename begins a new history",
        "traffic/record/tables.py",
        'repo_name = item.get("repo-name") or self._own_key(seen.name, repo_id)',
        "repo_name = self._own_key(seen.name, repo_id)",
        "store_identity",
    ),
    Mutation(
        "5 identity is the id: another repository of the same name shares the rows",
        "traffic/record/merge.py",
        'return name if owner_id in (None, str(repo_id)) else f"{name}~{repo_id}"',
        "return name",
        "store_order store_identity",
    ),
    Mutation(
        "5 rows carry the id: rows of another repository are overwritten",
        "traffic/record/tables.py",
        'if item.get("repo-id", repo_id) != repo_id:',
        "if False:",
        "store_order",
    ),
    Mutation(
        "5 every former name leads to the key: a rename removes it",
        "traffic/record/merge.py",
        "names = dict(one.names)",
        "names = dict(one.names) if not other.names else {}",
        "merge",
    ),
    Mutation(
        "6 a hole is announced: no hole is announced",
        "lambdas/summarize_run/deadlines.py",
        "return tuple((first, last) for first, last in ended if first <= last and last >= recently)",
        "return ()",
        "outages",
    ),
    Mutation(
        "6 a hole is announced in time: it is announced on the 14th day, which is too late",
        "traffic/github/bodies.py",
        "SAFE_DAYS = 13",
        "SAFE_DAYS = 14",
        "outages summary_deadlines",
    ),
    Mutation(
        "6 a late GitHub is reported: it is not",
        "lambdas/summarize_run/dangers.py",
        "self.newest_day_age > self.usual_age",
        "self.newest_day_age > self.usual_age + 99",
        "summary_dangers",
    ),
    Mutation(
        "6 a token that ends soon is reported: it is not",
        "lambdas/summarize_run/deadlines.py",
        "TOKEN_WARNING = 14",
        "TOKEN_WARNING = -1",
        "summary_dangers run_metrics",
    ),
]


def main() -> int:
    """Try every mutation, and print the first test that fails.

    Returns:
        The exit status: 1 if a mutation survived, or if a test fails without any mutation.
    """
    modules = sorted({name for mutation in MUTATIONS for name in mutation.tests.split()})
    if failed := failing(modules):
        print(f"{failed} fails without any mutation.")  # noqa: T201
        return 1
    with ThreadPoolExecutor(AT_ONCE) as tries:
        results = list(tries.map(lambda mutation: failing(mutation.tests.split(), mutation), MUTATIONS))
    for mutation, noticed in zip(MUTATIONS, results, strict=True):
        print(f"{mutation.rule}\t{mutation.file}\t{noticed or 'SURVIVED'}")  # noqa: T201
    survived = results.count("")
    print(f"{len(results)} mutations, {survived} survived")  # noqa: T201
    return 1 if survived else 0


def failing(modules: Sequence[str], mutation: Mutation | None = None) -> str:
    """Run modules of tests on a copy, with or without a mutation; return the first test that fails, or an empty text.

    Raises:
        RuntimeError: The tests did not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        if mutation:
            mutate(copy / mutation.file, mutation)
        command = [sys.executable, "-m", "pytest", "--exitfirst", "-q", "-p", "no:cacheprovider"]
        command += ["--hypothesis-profile", "thorough"]  # all examples
        command += [str(module_path(name).relative_to(ROOT)) for name in modules]
        done = subprocess.run(command, cwd=copy, check=False, capture_output=True, text=True)  # noqa: S603
    failed = re.search(r"^(?:FAILED|ERROR) tests/unit/(.+?)(?: - |$)", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1) or (done.returncode == 1 and failed is None):
        raise RuntimeError(f"{mutation}: the tests did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed[1] if failed else ""


def module_path(name: str) -> Path:
    """Find a module of unit tests by its name, without `test_`."""
    (found,) = (ROOT / "tests" / "unit").rglob(f"test_{name}.py")
    return found


def copied(folder: Path) -> Path:
    """Copy the sources, without compiled files."""
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, folder)
    return folder


def mutate(file: Path, mutation: Mutation) -> None:
    """Break a rule.

    Raises:
        ValueError: The file does not contain the code once. The mutation has to follow a change of the code.
    """
    text = file.read_text(encoding="utf-8")
    if text.count(mutation.right) != 1:
        raise ValueError(f"{mutation.file} contains this {text.count(mutation.right)} times: {mutation.right}")
    file.write_text(text.replace(mutation.right, mutation.wrong), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
