from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

BAD_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")


class Alarms(Construct):
    """Reports runs that ended badly, to the topic, in two ways.

    The rule says which run, at once, also where no Catch of the definition could (timed out, aborted, runtime error).
    The alarms say whether it still is so, and work even if the rule's delivery does not.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        state_machine: sfn.StateMachine,
        topic: sns.ITopic,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, id_)
        self._topic = topic
        self._alarm("RunFailed", state_machine.metric_failed(), "A run failed.")
        self._alarm("RunTimedOut", state_machine.metric_timed_out(), "A run timed out.")
        self._alarm("RunAborted", state_machine.metric_aborted(), "A run was aborted.")
        self._report_bad_ends(state_machine, dead_letters)

    def _alarm(self, id_: str, metric: cloudwatch.Metric, what: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id_,
            alarm_description=f"{what} Its executions in the Step Functions console, or `traffic executions`, say why.",
            metric=metric,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no run, no data: that is most of the day
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))

    def _report_bad_ends(self, state_machine: sfn.StateMachine, dead_letters: sqs.IQueue) -> None:
        # By its ARN, the topic gets no statement added: its own policy already lets EventBridge in, on our condition.
        topic = sns.Topic.from_topic_arn(self, "SummaryTopic", self._topic.topic_arn)
        events.Rule(
            self,
            "RunEndedBadly",
            description="Reports runs of the traffic capture that failed, timed out or were aborted.",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                # Children of the Map have another machine's ARN (MACHINE/LABEL), and so are not reported one by one.
                detail={"status": list(BAD_ENDS), "stateMachineArn": [state_machine.state_machine_arn]},
            ),
            targets=[targets.SnsTopic(topic, message=_bad_end_text(), dead_letter_queue=dead_letters)],
        )


def _bad_end_text() -> events.RuleTargetInput:
    """Word the message. One line: EventBridge sends a text of several lines as several quoted strings."""
    name = events.EventField.from_path("$.detail.name")
    status = events.EventField.from_path("$.detail.status")
    execution = events.EventField.from_path("$.detail.executionArn")
    region = Aws.REGION
    link = f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{execution}"
    return events.RuleTargetInput.from_text(
        f"GitHub traffic: the run {name} ended as {status} at {events.EventField.time}. See {link}"
    )
