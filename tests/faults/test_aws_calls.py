"""The AWS side of the fault matrix: each kind of call of a run fails in each way, briefly or for long.

One kind of failure is a function that ends before or after a call's side effect: killed, at its timeout, or for lack of
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

LATE = "store_traffic dynamodb UpdateItem RepoTrafficSnapshots, hangs, lasting"  # its calls end after the run

DIES = "summarize_run s3 PutObject runs/summary.json, killed before, lasting"


def test_the_matrix_contains_exactly_the_calls_of_a_run(aws: AwsPipeline) -> None:
    """The failure of a call that the matrix lacks would never be tested."""
    assert aws.record() == set(CALLS)


@pytest.mark.parametrize("case", every_case(), ids=str)
def test_no_fault_of_aws_loses_a_row_or_stays_unreported(
    aws: AwsPipeline, case: AwsCase, record_property: Callable[[str, Any], None]
) -> None:
    """Failures are reported, and after one undisturbed run the tables contain the true rows."""
    outcome = aws.judge(case, f"AWS: {case.call.service}")

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome
    if (case.call.function, case.call.service, case.duration) == (MACHINE, "sns", "lasting"):
        assert outcome.status == "FAILED"  # nobody received the summary, so the alarm has to report it


def test_hanging_calls_arrive_before_their_case_ends(aws: AwsPipeline) -> None:
    """Otherwise they would do the work of the next case, whose fault would then meet no call."""
    hangs = next(case for case in every_case() if str(case) == LATE)

    aws.judge(hangs, f"AWS: {hangs.call.service}")

    assert not any(proxy.pending for proxy in aws.proxies.served.values())


@pytest.mark.parametrize("case", every_death(), ids=str)
def test_no_function_that_ends_midway_loses_a_row_or_stays_unreported(
    aws: AwsPipeline, case: AwsCase, record_property: Callable[[str, Any], None]
) -> None:
    """Its work is repeated, or known to be done; the definition retries AWS's error for the end."""
    death, _, _ = case.way.rpartition(" ")
    outcome = aws.judge(case, f"Lambda: {death}")

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome
    assert DEATHS[death][1] in outcome.errors
    if case.duration == "once":
        assert outcome.complete, outcome
    if (case.call.function, case.duration) == ("summarize_run", "lasting"):
        assert outcome.status == "FAILED"  # the definition itself sent the mail


def test_a_run_whose_summarize_run_always_ends_sends_exactly_one_mail(aws: AwsPipeline) -> None:
    """The definition itself sends it, and the rule for runs without a summary sends no second one."""
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
