"""The pipeline with a GitHub that fails, and the outcome of each case."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from simulated_github import SimulatedGitHub
from simulated_github.fault_rules import EndpointKind
from tests.faults.aws_pipeline import AT, AwsPipeline
from tests.faults.github_faults import DURATIONS, ENDPOINTS, GitHubError, Outage, Strike
from tests.faults.judgement import (
    Outcome,
    Rows,
    claims_all,
    is_part_of,
    is_reported,
    kept_in,
    missing_names,
    true_before,
    truth_of,
)
from tests.integration.pipeline import Execution
from traffic.deadline import LONGEST_RUN

FINE = "octo/fine"  # a repository without faults

# One of these is on each page of the list; repositories without push access fill the first page.
LISTED = ("acme/first", "octo/last")
BETWEEN = [f"mid/watched-{number:03}" for number in range(100)]

NEAR = LONGEST_RUN.total_seconds() - 45  # seconds ago: a lasting limit refuses again before the deadline

DOWN = 0.1  # seconds; the state machine's retries, scaled, take longer

PAGES = {"list page 1": 1, "list page 2": 2}

LISTING = ("user", *PAGES)

CALLS = (*LISTING, *ENDPOINTS)


@dataclass(frozen=True)
class Disturbed:
    """The results of the disturbed run and of the undisturbed one.

    Attributes:
        execution: The disturbed run.
        truth: The true rows.
        first: The stored rows after the disturbed run.
        kept: The stored rows after both.
        outcomes: The outcomes in the disturbed run's receipts, by repository.
    """

    execution: Execution
    truth: Rows
    first: Rows
    kept: Rows
    outcomes: Mapping[str, str]


def judge_repositories(aws: AwsPipeline, errors: list[GitHubError], endpoint: str, duration: str) -> list[Outcome]:
    """Give each error a repository of its own, at one endpoint; all are in one run, and must not affect each other."""
    names = {f"octo/case-{number:02}": error for number, error in enumerate(errors)}
    late = duration == "lasting" and errors[0].reach == "limit"
    # The faults of each kind come alone: answers that hang would also use up the processor time of the minute.
    with SimulatedGitHub(repositories=[FINE, *names], secondary=False, port=aws.pipeline.port, at=AT) as github:
        strikes = {name: Strike(error, DURATIONS[duration]) for name, error in names.items()}
        for name, strike in strikes.items():
            github.add_fault(strike.fault, repository=name, endpoint=kind_of(endpoint))
        seen = run_twice(aws, github, github.clear_faults, late=late)
    assert seen.execution.status == "SUCCEEDED", seen.execution.cause
    missing = missing_names(seen.truth, seen.first)
    assert late or FINE not in missing, "an error of one repository must not affect the others"
    outcomes = []
    for name, error in names.items():
        captured = name not in missing and seen.outcomes.get(name) == "captured"
        reported = is_reported(aws.pipeline, seen.execution, [name], len(names) + 1)
        assert duration == "once" or error.outcome in ("", seen.outcomes.get(name)), error
        lost, duplicates = differences(seen, name)
        case = f"{endpoint}, {error.name}, {duration}"
        struck = strikes[name].struck
        outcomes.append(Outcome(f"GitHub: {endpoint}", case, struck, "SUCCEEDED", captured, reported, lost, duplicates))
    return outcomes


def judge_run(aws: AwsPipeline, error: GitHubError, call: str, duration: str) -> Outcome:
    """Let a run meet an error at one call of the listing, or at an endpoint of any repository."""
    with listed_github(aws) as github:
        strike = Strike(error, DURATIONS[duration], PAGES.get(call))
        github.add_fault(strike.fault, endpoint=kind_of(call))
        late = duration == "lasting" and error.reach == "limit"
        seen = run_twice(aws, github, github.clear_faults, late=late)
    return judged(aws, seen, call, f"{call}, {error.name}, {duration}", strike.struck)


def judge_outage(aws: AwsPipeline, call: str, duration: str) -> Outcome:
    """Let GitHub refuse every connection after a call."""
    with listed_github(aws) as github:
        outage = Outage(github, DOWN if duration == "once" else None, PAGES.get(call))
        github.add_fault(outage.fault, endpoint=kind_of(call))
        seen = run_twice(aws, github, outage.end, late=False)
    return judged(aws, seen, call, f"{call}, connection refused, {duration}", outage.struck)


@contextmanager
def listed_github(aws: AwsPipeline) -> Iterator[SimulatedGitHub]:
    """Serve a GitHub whose list has two pages."""
    with SimulatedGitHub(
        repositories=LISTED, readable=BETWEEN, secondary=False, port=aws.pipeline.port, at=AT
    ) as github:
        yield github


def run_twice(aws: AwsPipeline, github: SimulatedGitHub, mend: Callable[[], None], *, late: bool) -> Disturbed:
    """Run with the fault, then once more without it.

    Args:
        aws: The pipeline.
        github: The GitHub with the fault.
        mend: Removes the fault.
        late: Whether the disturbed run's deadline is near.
    """
    pipeline, near = aws.pipeline, aws.pipeline.engine.history / "began-earlier"
    pipeline.forget()
    truth, before = truth_of(github), true_before(github)
    if late:
        near.write_text(str(NEAR))
    try:
        execution = pipeline.run()
    finally:
        near.unlink(missing_ok=True)
        mend()
    first = kept_in(pipeline)
    outcomes = {receipt["name"]: receipt["outcome"] for receipt in pipeline.receipts(execution)}
    undisturbed = pipeline.run()
    assert undisturbed.status == "SUCCEEDED", f"{undisturbed.error}: {undisturbed.cause}"
    kept = {key: row for key, row in kept_in(pipeline).items() if not is_part_of(row, before.get(key))}
    return Disturbed(execution, truth, first, kept, outcomes)


def judged(aws: AwsPipeline, seen: Disturbed, call: str, case: str, struck: int) -> Outcome:
    """Judge a case that had a run of its own."""
    missing = missing_names(seen.truth, seen.first)
    complete = not missing and claims_all(aws.pipeline, seen.execution, len(LISTED))
    reported = is_reported(aws.pipeline, seen.execution, missing, len(LISTED))
    return Outcome(f"GitHub: {call}", case, struck, seen.execution.status, complete, reported, *differences(seen))


def differences(seen: Disturbed, name: str | None = None) -> tuple[int, int]:
    """Count rows that are not the truth, and rows that are in no truth, of one repository or of all."""
    lost = [key for key, value in seen.truth.items() if seen.kept.get(key) != value]
    duplicates = seen.kept.keys() - seen.truth.keys()
    return sum(name in (None, key[0]) for key in lost), sum(name in (None, key[0]) for key in duplicates)


def kind_of(call: str) -> EndpointKind:
    """Return the simulated GitHub's name of a call."""
    return "list" if call in PAGES else cast("EndpointKind", call)
