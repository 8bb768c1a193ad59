"""Promise: a run that ends badly is told of, on ways that are open from end to end."""

from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.summarize_run import deadlines, metrics
from tests.infrastructure.conftest import Template, many

OWN_ACCOUNT = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def topic_id(template: Template) -> str:
    """The logical id of the one topic."""
    (id_,) = template.of_type("AWS::SNS::Topic")
    return id_


def publishers(template: Template) -> dict[str, Mapping[str, Any]]:
    """The services that the topic's policy lets publish, each with the condition."""
    policy = template.only("AWS::SNS::TopicPolicy")
    assert policy["Topics"] == [{"Ref": topic_id(template)}]
    return {
        statement["Principal"]["Service"]: statement["Condition"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and statement["Action"] == "sns:Publish"
    }


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"])
def test_each_bad_end_has_an_alarm_that_reaches_the_topic(template: Template, metric: str) -> None:
    """Alarm, action, topic, policy: where one link is missing, the alarm vanishes without a trace.

    Source of the names:
        https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    """
    alarms = (found["Properties"] for found in template.of_type("AWS::CloudWatch::Alarm").values())
    (alarm,) = [found for found in alarms if found["MetricName"] == metric]
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine")

    assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"]) == ("AWS/States", "Sum", 1)
    assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": {"Ref": machine}}]
    assert alarm["AlarmActions"] == [{"Ref": topic_id(template)}]
    assert publishers(template)["cloudwatch.amazonaws.com"] == {"StringEquals": OWN_ACCOUNT}


def alarm_on(template: Template, metric: str) -> Mapping[str, Any]:
    """The one alarm that looks at a metric."""
    alarms = (found["Properties"] for found in template.of_type("AWS::CloudWatch::Alarm").values())
    (alarm,) = [found for found in alarms if found["MetricName"] == metric]
    return dict(alarm)


def test_a_day_without_a_successful_run_is_an_alarm(template: Template) -> None:
    """A rule that was disabled writes no error anywhere: only the missing success shows it.

    Source:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (Period: at most seven
        days in all, and at most one where a period is shorter than an hour)
    """
    alarm = alarm_on(template, "ExecutionsSucceeded")

    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3600, 26, 26)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["AlarmActions"] == [{"Ref": topic_id(template)}]


@pytest.mark.parametrize(
    ("metric", "comparison", "threshold"),
    [
        ("Captured", "LessThanThreshold", 1),
        ("TokenDaysLeft", "LessThanOrEqualToThreshold", deadlines.TOKEN_WARNING),
        ("NewestDayAgeDays", "GreaterThanOrEqualToThreshold", 4),
    ],
)
def test_what_a_run_finds_in_danger_is_an_alarm(
    template: Template, metric: str, comparison: str, threshold: int
) -> None:
    """An alarm on a metric that nobody writes never tells of anything: namespace and dimension are the function's."""
    alarm = alarm_on(template, metric)

    assert alarm["Namespace"] == metrics.NAMESPACE
    assert alarm["Dimensions"] == [{"Name": "service", "Value": metrics.SERVICE}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (comparison, threshold)
    assert alarm["TreatMissingData"] == "ignore", "it holds until the next run says otherwise"
    assert alarm["AlarmActions"] == [{"Ref": topic_id(template)}]


def test_the_topic_has_no_key_that_shuts_the_alarms_out(template: Template) -> None:
    """CloudWatch may not use `alias/aws/sns`, nor a key whose policy does not name it: its alarms vanish silently.

    Source:
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    assert "KmsMasterKeyId" not in template.only("AWS::SNS::Topic")


def test_bad_ends_of_this_machine_are_reported_to_the_topic(template: Template) -> None:
    """What no Catch of the definition sees (timed out, aborted, runtime error) must not pass unnoticed."""
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine")
    rules = (found["Properties"] for found in template.of_type("AWS::Events::Rule").values())
    (rule,) = [found for found in rules if "EventPattern" in found]
    (target,) = rule["Targets"]

    assert rule["State"] == "ENABLED"
    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [{"Ref": machine}]},
    }
    assert target["Arn"] == {"Ref": topic_id(template)}
    assert "events.amazonaws.com" in publishers(template)


def test_eventbridge_is_let_in_even_where_it_does_not_say_for_whom_it_publishes(template: Template) -> None:
    """With a plain condition on a key that EventBridge does not send, every report would be refused, silently.

    Source:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html ("You can't use Condition
        blocks in Amazon SNS topic policies for EventBridge")
    """
    assert publishers(template)["events.amazonaws.com"] == {"StringEqualsIfExists": OWN_ACCOUNT}


def test_only_the_two_services_are_let_in_and_only_over_tls(template: Template) -> None:
    """The topic's own statements open it to nobody else; the state machine publishes by its role."""
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

    assert (rule["ScheduleExpression"], rule["State"]) == ("cron(0 9 * * ? *)", "ENABLED")
    assert target["Arn"] == {"Ref": machine}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0


def test_every_rule_may_write_to_the_dead_letter_queue(template: Template) -> None:
    """EventBridge drops an event whose dead-letter queue refuses it."""
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
