"""The AWS side of the fault matrix: each kind of call of a run fails in each way, for a moment or for long.

A function that ends before or after a call's side effect is one of the ways: killed, at its timeout, or for want of
memory. Each case has a disturbed run and an undisturbed one.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from simulated_github import SimulatedGitHub
from tests.faults.aws_faults import CALLS, DEATHS, MACHINE, AwsCase, every_case, every_death
from tests.faults.aws_pipeline import AT, REPOSITORIES, AwsPipeline

pytestmark = pytest.mark.faults

LATE = "store_traffic dynamodb UpdateItem RepoTrafficSnapshots, hangs, lasting"  # its calls outlive the run

DIES = "summarize_run s3 PutObject runs/summary.json, killed before, lasting"


def test_the_matrix_holds_every_call_that_a_run_makes_and_no_other(aws: AwsPipeline) -> None:
    """A call that nobody broke is one of which nobody knows what happens then."""
    assert aws.record() == set(CALLS)


@pytest.mark.parametrize("case", every_case(), ids=str)
def test_no_fault_of_aws_loses_a_row_or_passes_in_silence(
    aws: AwsPipeline, case: AwsCase, record_property: Callable[[str, Any], None]
) -> None:
    """What failed is told, and one undisturbed run later the tables are the truth."""
    outcome = aws.judge(case, f"AWS: {case.call.service}")

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome
    if (case.call.function, case.call.service, case.duration) == (MACHINE, "sns", "lasting"):
        assert outcome.status == "FAILED"  # nobody got the summary: the alarm has to tell


def test_what_hangs_arrives_before_its_case_is_judged(aws: AwsPipeline) -> None:
    """In the next case's emptied tables it would do that case's work, and leave its fault nothing to strike."""
    hangs = next(case for case in every_case() if str(case) == LATE)

    aws.judge(hangs, f"AWS: {hangs.call.service}")

    assert not any(proxy.pending for proxy in aws.proxies.served.values())


@pytest.mark.parametrize("case", every_death(), ids=str)
def test_no_function_that_ends_midway_loses_a_row_or_passes_in_silence(
    aws: AwsPipeline, case: AwsCase, record_property: Callable[[str, Any], None]
) -> None:
    """What it did before its end is done again, or is known to be done; AWS's name for the end is retried."""
    death, _, _ = case.way.rpartition(" ")
    outcome = aws.judge(case, f"Lambda: {death}")

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome
    assert DEATHS[death][1] in outcome.errors
    if case.duration == "once":
        assert outcome.complete, outcome
    if (case.call.function, case.duration) == ("summarize_run", "lasting"):
        assert outcome.status == "FAILED"  # the definition itself sent the mail: it was told


def test_a_run_whose_summarize_run_dies_for_good_sends_exactly_one_mail(aws: AwsPipeline) -> None:
    """Nobody else tells that day what happened: the definition itself does, and the rule for other ends does not."""
    aws.pipeline.forget()
    case = next(case for case in every_death() if str(case) == DIES)
    with SimulatedGitHub(repositories=REPOSITORIES, port=aws.pipeline.port, at=AT):
        aws.break_call(case)
        try:
            execution = aws.pipeline.run()
        finally:
            aws.mend(case)

    (mail,) = aws.pipeline.mail(2, seconds=2)
    assert execution.status == "FAILED"
    assert execution.name in mail["Message"]
    assert mail["Subject"] == execution.cause
    assert mail["Subject"].startswith("GitHub traffic ")
