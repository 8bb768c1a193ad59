"""Promise: a run that ends badly is reported, on paths that are open from end to end."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.summarize_run.dangers import Dangers
from lambdas.summarize_run.headline import Facts, subject
from lambdas.summarize_run.outcome import Result
from tests.infrastructure.conftest import Template, many
from traffic.contract import RunState
from traffic.github.answers import CAPTURED

OWN_ACCOUNT = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def topic_id(template: Template) -> str:
    """Return the logical id of the only topic."""
    (id_,) = template.of_type("AWS::SNS::Topic")
    return id_


def publishers(template: Template) -> dict[str, Mapping[str, Any]]:
    """Return the services that may publish by the topic's policy, each with its condition."""
    policy = template.only("AWS::SNS::TopicPolicy")
    assert policy["Topics"] == [{"Ref": topic_id(template)}]
    return {
        statement["Principal"]["Service"]: statement["Condition"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and statement["Action"] == "sns:Publish"
    }


ALARMS = {
    "RunFailed": ("ExecutionsFailed", "GreaterThanOrEqualToThreshold", 1, "Sum", "notBreaching"),
    "RunTimedOut": ("ExecutionsTimedOut", "GreaterThanOrEqualToThreshold", 1, "Sum", "notBreaching"),
    "RunAborted": ("ExecutionsAborted", "GreaterThanOrEqualToThreshold", 1, "Sum", "notBreaching"),
    "RunMissing": ("ExecutionsSucceeded", "LessThanThreshold", 1, "Sum", "breaching"),
    "NothingCaptured": ("Captured", "LessThanThreshold", 1, "Minimum", "ignore"),
    "DeadLetters": (
        "ApproximateNumberOfMessagesVisible",
        "GreaterThanOrEqualToThreshold",
        1,
        "Maximum",
        "notBreaching",
    ),
    "RepositoryFailing": ("Failed", "GreaterThanOrEqualToThreshold", 1, "Minimum", "ignore"),
    "TokenExpiring": ("TokenExpiring", "GreaterThanOrEqualToThreshold", 1, "Minimum", "ignore"),
    "GitHubLate": ("NewestDayAgeDays", "GreaterThanOrEqualToThreshold", 4, "Minimum", "ignore"),
}


def alarms(template: Template) -> dict[str, Mapping[str, Any]]:
    """Return the properties of every alarm of stacks/alarms.py, by its name there."""
    found = template.of_type("AWS::CloudWatch::Alarm")
    return {
        name: properties
        for id_, resource in found.items()
        if id_.startswith("Alarms")
        for name, properties in [(id_.removeprefix("Alarms")[:-8], resource["Properties"])]
    }


def test_there_is_an_alarm_for_everything_that_must_be_reported(template: Template) -> None:
    """test_alarms_evaluated.py shows what each alarm does on a healthy, a failed and a missing day."""
    assert {
        name: (
            found["MetricName"],
            found["ComparisonOperator"],
            found["Threshold"],
            found["Statistic"],
            found["TreatMissingData"],
        )
        for name, found in alarms(template).items()
    } == ALARMS


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_reaches_the_topic_through_policy_and_key(template: Template, name: str) -> None:
    """Alarm, action, topic, policy, key: if one link is missing, the alarm vanishes without a trace.

    Source:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html (policy)
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html (key)
    """
    alarm = alarms(template)[name]

    assert alarm.get("ActionsEnabled", True) is True
    assert alarm["AlarmActions"] == [{"Ref": topic_id(template)}]
    assert publishers(template)["cloudwatch.amazonaws.com"] == {"StringEquals": OWN_ACCOUNT}
    assert "KmsMasterKeyId" not in template.only("AWS::SNS::Topic")


def test_an_address_without_a_confirmed_subscription_is_an_alarm_in_the_console(template: Template) -> None:
    """It sends no mail, because none would arrive. Without an address nobody wants mail, and there is no alarm."""
    ((id_, alarm),) = [
        (id_, found) for id_, found in template.of_type("AWS::CloudWatch::Alarm").items() if "Condition" in found
    ]
    watched = alarm["Properties"]
    (subscription,) = template.of_type("AWS::SNS::Subscription").values()

    assert id_.startswith("NotificationsNobodySubscribed")
    assert alarm["Condition"] == subscription["Condition"]
    assert "AlarmActions" not in watched
    assert (watched["MetricName"], watched["ComparisonOperator"], watched["Threshold"]) == (
        "EmailSubscriptions",
        "LessThanThreshold",
        1,
    )
    assert (watched["Statistic"], watched["TreatMissingData"]) == ("Minimum", "ignore")


def test_no_reference_leads_to_a_resource_that_exists_only_with_an_address(template: Template) -> None:
    """CloudFormation refuses a template that refers to a resource whose condition is false."""
    conditional = {id_ for id_, found in template.resources.items() if "Condition" in found}
    text = json.dumps({key: value for key, value in template.body.items() if key != "Mappings"})

    assert len(conditional) == 2
    for id_ in conditional:
        assert f'{{"Ref": "{id_}"}}' not in text
        assert f'{{"Fn::GetAtt": ["{id_}"' not in text


def test_the_topic_has_no_key_that_shuts_the_alarms_out(template: Template) -> None:
    """CloudWatch may not use `alias/aws/sns`, or a key whose policy does not allow it: its alarms vanish silently.

    Source:
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    assert "KmsMasterKeyId" not in template.only("AWS::SNS::Topic")


def test_bad_ends_of_this_machine_are_reported_to_the_topic(template: Template) -> None:
    """No Catch of the definition sees some ends (timed out, aborted, runtime error); they must not go unnoticed."""
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine")
    rules = (found["Properties"] for found in template.of_type("AWS::Events::Rule").values())
    (rule,) = [found for found in rules if "EventPattern" in found]
    (target,) = rule["Targets"]

    assert rule["State"] == "ENABLED"
    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [{"Ref": machine}],
            "cause": [{"exists": False}, None, {"anything-but": {"prefix": "GitHub traffic "}}],
        },
    }
    assert target["Arn"] == {"Ref": topic_id(template)}
    assert "events.amazonaws.com" in publishers(template)


PUBLISHING = ("Publish summary", "Run succeeded?", "Fail run")


def rule_reports(template: Template, cause: str | None) -> bool:
    """Return whether the rule reports a run that ended badly with a cause."""
    rules = (found["Properties"] for found in template.of_type("AWS::Events::Rule").values())
    (rule,) = [found for found in rules if "EventPattern" in found]
    _missing, null, other = rule["EventPattern"]["detail"]["cause"]
    return cause is null if cause is None else not cause.startswith(other["anything-but"]["prefix"])


@pytest.mark.parametrize("done", ["captured", "stored again"])
@pytest.mark.parametrize("error", ["GitHubAuthError", "NothingCapturedError", "States.Timeout", ""])
def test_the_rule_does_not_report_a_run_that_its_summary_reported(
    template: Template, definition: Mapping[str, Any], error: str, done: str
) -> None:
    """The definition fails with the summary's subject as cause, and the rule leaves out this cause.

    It reports any other cause, or no cause, because no summary was sent.
    """
    assert definition["States"]["Fail run"]["CausePath"] == "$.subject"
    assert definition["States"]["Run succeeded?"]["Default"] == "Fail run"
    result = Result(1, "octo/docs", outcome=CAPTURED)
    run: RunState = {"run": {"id": "run-1", "started": "2026-11-20T09:00:00Z"}}
    facts = Facts(run, [result], error, dangers=Dangers("2026-11-20") if done == "captured" else None)
    assert not rule_reports(template, subject(facts, "2026-11-20"))


def test_a_run_that_cannot_be_summarized_is_reported_once(template: Template, definition: Mapping[str, Any]) -> None:
    """A plain summary is published, whatever SummaryMail is; the rule leaves out its subject, which is the cause."""
    followed = definition["States"]
    (caught,) = followed["Summarize run"]["Catch"]
    plain = followed[caught["Next"]]
    subject_line = plain["Parameters"]["subject"]

    assert caught["ErrorEquals"] == ["States.ALL"]
    assert plain["Next"] == "Publish summary"
    assert followed["Publish summary"]["Next"] == "Run succeeded?"
    assert plain["Parameters"]["outcome"] != followed["Run succeeded?"]["Choices"][0]["StringEquals"]
    assert len(subject_line) <= 100
    assert subject_line.isascii()
    assert not rule_reports(template, subject_line)


def test_a_plain_summary_has_all_that_is_published_and_nothing_of_a_cause(definition: Mapping[str, Any]) -> None:
    """A wrong path fails the run without a mail. A cause may be long, and contain anything."""
    (caught,) = definition["States"]["Summarize run"]["Catch"]
    plain = definition["States"][caught["Next"]]["Parameters"]
    used = re.findall(r"\$\.(\w+)", json.dumps([definition["States"][name] for name in PUBLISHING]))

    assert "ResultPath" not in caught, "the input is replaced by Error and Cause: it cannot grow too large"
    assert {name.removesuffix(".$") for name in plain} == set(used)
    assert "Cause" not in json.dumps(plain)
    assert (plain["outcome"], plain["kind"]) == ("failed", "problem")


@pytest.mark.parametrize(
    "cause",
    [
        None,
        "The state/task 'X' returned a result with a size exceeding the maximum number of bytes service limit.",
        "An error occurred while executing the state 'X' (entered at the event id #7).",
        "Topic does not exist (Service: Sns, Status Code: 404)",
    ],
    ids=["timed out or aborted", "States.DataLimitExceeded", "States.Runtime", "summary not published"],
)
def test_the_rule_reports_what_no_catch_sees(
    template: Template, definition: Mapping[str, Any], cause: str | None
) -> None:
    """`States.ALL` catches neither of these two errors, and nobody received a summary that was not published.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html (States.ALL)
    """
    assert rule_reports(template, cause)
    assert "Catch" not in definition["States"]["Publish summary"]


def test_eventbridge_may_publish_even_if_it_does_not_send_the_account(template: Template) -> None:
    """With a plain condition on a key that EventBridge does not send, SNS would refuse every report silently.

    Source:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html ("You can't use Condition
        blocks in Amazon SNS topic policies for EventBridge")
    """
    assert publishers(template)["events.amazonaws.com"] == {"StringEqualsIfExists": OWN_ACCOUNT}


def test_only_the_two_services_may_publish_and_only_over_tls(template: Template) -> None:
    """The topic's own statements admit nobody else; the state machine publishes by its role."""
    statements = template.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (denied,) = [found for found in statements if found["Effect"] == "Deny"]

    assert set(publishers(template)) == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_nobody_is_subscribed_without_an_address(template: Template) -> None:
    """An empty endpoint would fail the deployment."""
    (subscription,) = template.of_type("AWS::SNS::Subscription").values()
    condition = template.body["Conditions"][subscription["Condition"]]

    assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SummaryEmail"}, ""]}]}
    assert subscription["Properties"]["Endpoint"] == {"Ref": "SummaryEmail"}


def test_the_daily_rule_starts_a_run_and_keeps_what_it_cannot_deliver(template: Template) -> None:
    """A day on which EventBridge fails must not be lost without a trace."""
    rule = template.resources["RuleGetRepoTrafficA3AA81BC"]["Properties"]
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine")
    (target,) = rule["Targets"]

    assert rule["State"] == "ENABLED"
    assert target["Arn"] == {"Ref": machine}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0


@pytest.mark.parametrize("hour", [None, "7", "23"])
def test_the_daily_rule_runs_at_the_hour_of_the_parameter(template: Template, hour: str | None) -> None:
    """An update of a stack without the parameter uses the default, and so keeps the schedule."""
    parameter = template.body["Parameters"]["RunHour"]
    chosen = hour or parameter["Default"]
    separator, parts = template.resources["RuleGetRepoTrafficA3AA81BC"]["Properties"]["ScheduleExpression"]["Fn::Join"]

    schedule = separator.join(chosen if part == {"Ref": "RunHour"} else part for part in parts)
    assert schedule == f"cron(0 {hour or 9} * * ? *)"
    assert chosen in parameter["AllowedValues"]


def test_every_rule_may_write_to_the_dead_letter_queue(template: Template) -> None:
    """EventBridge drops an event if the dead-letter queue refuses it."""
    (queue,) = template.of_type("AWS::SQS::Queue")
    allowed = [
        statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0]
        for statement in template.only("AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and "sqs:SendMessage" in many(statement["Action"])
    ]

    for id_, rule in template.of_type("AWS::Events::Rule").items():
        for target in rule["Properties"]["Targets"]:
            assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}
            assert id_ in allowed
