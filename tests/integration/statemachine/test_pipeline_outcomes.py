"""Results of a run: all captured, one refused, one failing, nothing to do, everything failed, no summary."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from simulated_github import SimulatedGitHub
from simulated_github.faults import no_push_access, not_accessible_by_token, server_error, stale_copy
from tests.integration.pipeline import Pipeline

AT = "2026-11-20T09:00:00Z"

PLAIN = "GitHub traffic run FAILED, without a summary: what was captured is unknown"  # the subject in the definition


def test_a_run_stores_the_true_numbers_of_every_repository(pipeline: Pipeline) -> None:
    """Each day in the table is true, and no other day is there."""
    with SimulatedGitHub(repositories=["octo/docs", "octo/cli", "acme/docs"], port=pipeline.port, at=AT) as github:
        execution = pipeline.run()
        truth = {(name, day): tuple(row) for name in github.names for day, row in github.truth(name).items()}

    assert execution.status == "SUCCEEDED", execution.cause
    assert pipeline.numbers() == truth
    assert len(truth) == 3 * 14


def test_one_forbidden_repository_does_not_fail_the_others(pipeline: Pipeline) -> None:
    """The run succeeds; the summary contains the repository, GitHub's message and what to do."""
    with SimulatedGitHub(repositories=["octo/open", "octo/closed"], port=pipeline.port) as github:
        github.refuse("octo/closed", no_push_access())
        execution = pipeline.run()

    message = pipeline.summary(execution)["message"]
    assert execution.status == "SUCCEEDED", execution.cause
    assert {name for name, _ in pipeline.days()} == {"octo/open"}
    assert "1 of 2 repositories captured" in message
    assert "1 no push access. Give the token Administration (read) " in message
    assert "octo/closed\n    403: Must have push access" in message


def test_a_stale_answer_and_a_lasting_refusal_differ_from_failures(pipeline: Pipeline) -> None:
    """Both last for weeks: days about to be lost are listed, and lasting refusals once a week."""
    names = ["octo/closed", "octo/docs", "octo/site"]
    with SimulatedGitHub(repositories=names, port=pipeline.port, at="2026-11-20T09:00:00Z") as github:
        github.refuse("octo/closed", not_accessible_by_token())
        friday = pipeline.summary(pipeline.run())
        github.at("2026-11-21T09:00:00Z")
        github.add_fault(stale_copy("2026-11-18T09:00:00Z"), repository="octo/site", endpoint="clones")
        saturday = pipeline.summary(pipeline.run())
        github.at("2026-11-23T09:00:00Z")
        monday = pipeline.summary(pipeline.run())

    assert (friday["kind"], saturday["kind"], monday["kind"]) == ("problem", "healthy", "digest")
    assert "  octo/closed\n    403: Resource not accessible by personal access token\n" in friday["message"]
    assert "octo/closed" not in saturday["message"]
    assert "octo/closed\n    403: Resource not accessible" in monday["message"]
    assert "  octo/site\n    clones end on 2026-11-17; 12 days until days are lost for good\n" in saturday["message"]
    assert "  octo/site\n    clones end on 2026-11-17; 10 days until days are lost for good\n" in monday["message"]
    (snapshot,) = (
        item
        for item in pipeline.scan("RepoTrafficSnapshots")
        if item["captured-on"] == "2026-11-23" and item["clones-until"] != item["views-until"]
    )
    assert (snapshot["views-until"], snapshot["clones-until"]) == ("2026-11-22", "2026-11-17")


def test_a_temporary_server_error_is_retried(hasty_pipeline: Pipeline) -> None:
    """GitHub fails from time to time; the summary need not mention it."""
    with SimulatedGitHub(repositories=3, port=hasty_pipeline.port) as github:
        github.add_fault(server_error(502), endpoint="list", count=1)
        github.add_fault(server_error(503), endpoint="views", count=2)
        github.add_fault(server_error(500), endpoint="paths", count=1)
        execution = hasty_pipeline.run()

    assert execution.status == "SUCCEEDED", execution.cause
    assert "3 of 3 repositories captured" in hasty_pipeline.summary(execution)["message"]
    assert len(hasty_pipeline.days()) == 3 * 14


def test_a_repository_that_always_fails_does_not_fail_the_others(hasty_pipeline: Pipeline) -> None:
    """Its child fails after all retries; the others are captured, and the summary contains the failure."""
    with SimulatedGitHub(repositories=["octo/fine", "octo/broken"], port=hasty_pipeline.port) as github:
        github.refuse("octo/broken", server_error(502))
        execution = hasty_pipeline.run()

    message = hasty_pipeline.summary(execution)["message"]
    assert execution.status == "SUCCEEDED", execution.cause
    assert sorted(child["status"] for child in hasty_pipeline.children(execution)) == ["FAILED", "SUCCEEDED"]
    assert {name for name, _ in hasty_pipeline.days()} == {"octo/fine"}
    assert "1 failed. GitHub failed to answer; the next run asks again." in message
    assert "octo/broken\n    views: 502" in message


def test_the_states_of_a_child_are_in_its_history(hasty_pipeline: Pipeline) -> None:
    """Commands read there which step failed or waits."""
    with SimulatedGitHub(repositories=1, port=hasty_pipeline.port):
        execution = hasty_pipeline.run()

    details = [event.get("stateEnteredEventDetails", {}) for event in hasty_pipeline.events(execution)]
    assert {"Anything to fetch?", "Fetch traffic", "Store traffic"} <= {each.get("name") for each in details}


def test_a_run_that_captured_none_of_several_repositories_has_failed(pipeline: Pipeline) -> None:
    """A successful run that stores nothing would hide a token without permissions."""
    with SimulatedGitHub(repositories=3, port=pipeline.port) as github:
        github.add_fault(no_push_access(), endpoint="views")
        execution = pipeline.run()

    assert (execution.status, execution.error) == ("FAILED", "NothingCapturedError")
    assert pipeline.days() == {}


def test_a_run_that_selects_nothing_fails_without_the_map_and_sends_one_mail(pipeline: Pipeline) -> None:
    """A typing error in a setting, or a token without repositories, captures nothing day after day."""
    with SimulatedGitHub(repositories=0, port=pipeline.port) as github:
        execution = pipeline.run()
        asked = [call.endpoint for call in github.calls]

    assert (execution.status, execution.error) == ("FAILED", "NothingSelectedError")
    assert asked == ["user", "list"]
    assert pipeline.children(execution) == []
    (mail,) = pipeline.mail(1)
    reason = "GitHub lists no repository for the token"
    assert mail["Message"].splitlines()[0] == f"The run failed: {reason} (NothingSelectedError)."


def test_the_mail_is_the_stored_summary(pipeline: Pipeline) -> None:
    """The archive bucket contains the same text, and the terminal prints it."""
    with SimulatedGitHub(repositories=2, port=pipeline.port):
        execution = pipeline.run()

    summary = pipeline.summary(execution)
    (mail,) = pipeline.mail(1)
    assert (mail["Subject"], mail["Message"]) == (summary["subject"], summary["message"])


def test_a_failed_run_with_a_summary_is_mailed_once(pipeline: Pipeline) -> None:
    """The rule reports only runs without a summary: people who get every failure twice stop reading."""
    with SimulatedGitHub(repositories=1, port=pipeline.port, token="another"):
        execution = pipeline.run()
        arn = pipeline.start()  # the rule reports this run; a report of the first run would come before it
        pipeline.engine.client("stepfunctions").stop_execution(executionArn=arn)
        aborted = pipeline.finish(arn)

    summary, by_rule = pipeline.mail(2)
    assert summary["Subject"] == pipeline.summary(execution)["subject"]
    assert "What to do: Replace the token" in summary["Message"]
    assert f"the run {aborted.name} ended as ABORTED" in by_rule["Message"]


def test_an_aborted_run_without_a_summary_is_reported(pipeline: Pipeline) -> None:
    """Otherwise nobody would notice it."""
    with SimulatedGitHub(repositories=1, port=pipeline.port, latency=0.2):
        arn = pipeline.start()
        pipeline.engine.client("stepfunctions").stop_execution(executionArn=arn)
        execution = pipeline.finish(arn)

    (mail,) = pipeline.mail(1)
    assert execution.status == "ABORTED"
    assert f"the run {execution.name} ended as ABORTED" in mail["Message"]


@contextmanager
def summarize_run_with(pipeline: Pipeline, **variables: str) -> Iterator[None]:
    """Change the environment of Summarize run during the block."""
    client = pipeline.engine.client("lambda")
    listed = client.list_functions()["Functions"]
    (function,) = [each for each in listed if each["Handler"].startswith("lambdas.summarize_run.")]
    name, before = function["FunctionName"], function["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {**before, **variables}})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@pytest.mark.parametrize("mail", ["all", "problems"])
def test_a_run_that_cannot_be_summarized_sends_one_plain_summary(pipeline: Pipeline, mail: str) -> None:
    """The definition sends it, independently of SummaryMail; the rule does not report that run again."""
    with SimulatedGitHub(repositories=["octo/docs"], port=pipeline.port, at=AT):
        with summarize_run_with(pipeline, SUMMARY_MAIL=mail, ARCHIVE_BUCKET="secret-name-of-no-bucket"):
            execution = pipeline.run()
        arn = pipeline.start()  # the rule reports this run; a report of the first run would come before it
        pipeline.engine.client("stepfunctions").stop_execution(executionArn=arn)
        aborted = pipeline.finish(arn)

    plain, by_rule = pipeline.mail(2)
    assert (execution.status, execution.cause) == ("FAILED", PLAIN)
    assert plain["Subject"] == PLAIN
    assert f"The run {execution.name} has no summary" in plain["Message"]
    assert f"failed: {execution.error}." in plain["Message"]
    assert f"traffic executions {execution.name}" in plain["Message"]
    assert execution.arn in plain["Message"]
    assert "secret-name" not in plain["Message"], "a cause may contain anything"
    assert f"the run {aborted.name} ended as ABORTED" in by_rule["Message"]
    assert len(pipeline.days()) == 14, "captured days are stored"


def test_a_run_counts_the_addresses_that_receive_its_mail(pipeline: Pipeline) -> None:
    """The subscribed queue is not an address, and an unconfirmed address receives nothing."""
    sns, topic = pipeline.engine.client("sns"), pipeline.outputs["SummaryTopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="you@example.com")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="unconfirmed@example.com")
    (link,) = [each["link"] for each in pipeline.engine.ask("GET", "mail")["mail"] if each["to"] == "you@example.com"]
    confirmed = sns.confirm_subscription(TopicArn=topic, Token=link.partition("&Token=")[2].partition("&")[0])
    with SimulatedGitHub(repositories=1, port=pipeline.port):
        execution = pipeline.run()
    sns.unsubscribe(SubscriptionArn=confirmed["SubscriptionArn"])

    assert execution.status == "SUCCEEDED", execution.cause
    assert [record["EmailSubscriptions"] for record in written_by(pipeline, "EmailSubscriptions")][-1] == [1.0]


def written_by(pipeline: Pipeline, metric: str) -> list[dict[str, Any]]:
    """Return the records of a metric in the functions' logs, the newest last."""
    logs = pipeline.engine.client("logs")
    messages = [
        event["message"]
        for group in logs.describe_log_groups()["logGroups"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in page["events"]
    ]
    records = [json.loads(line) for text in messages for line in text.splitlines() if f'"{metric}":' in line]
    return sorted(records, key=lambda record: int(record["_aws"]["Timestamp"]))  # streams are in no order
