from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

BAD_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")

HOURS_WITHOUT_SUCCESS = 26  # a day, and two hours for a run that starts late or waits for GitHub's limit
TOKEN_WARNING = 14  # days
LATE = 4  # days since GitHub's newest day: up to 3 are seen now and then

# Of what Summarize run writes to its log; lambdas/summarize_run/metrics.py names them.
NAMESPACE = "GitHubTrafficCapture"
DIMENSIONS = {"service": "summarize_run"}

LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
AT_MOST = cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class Alarms(Construct):
    """Reports to the topic what the summaries cannot, or what must not depend on them being read.

    Runs that ended badly: the rule says which run, at once, also where no Catch of the definition could (timed out,
    aborted, runtime error); the alarms say whether it still is so, and work even if the rule's delivery does not.
    What is in danger: no run at all, nothing captured, a token that ends, a GitHub that is late.
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
        self._alarm_without_success(state_machine)
        self._watch("NothingCaptured", "Captured", LESS, 1, "No repository was captured: look at the token's access.")
        self._watch("TokenExpiring", "TokenDaysLeft", AT_MOST, TOKEN_WARNING, "The token expires within 14 days.")
        self._watch("GitHubLate", "NewestDayAgeDays", AT_LEAST, LATE, "GitHub reports no new day for any repository.")
        self._report_bad_ends(state_machine, dead_letters)

    def _alarm(self, id_: str, metric: cloudwatch.Metric, what: str) -> None:
        self._to_topic(
            cloudwatch.Alarm(
                self,
                id_,
                alarm_description=f"{what} Its execution, in the console or by `traffic executions`, says why.",
                metric=metric,
                threshold=1,
                evaluation_periods=1,
                comparison_operator=AT_LEAST,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no run, no data: most of the day
            )
        )

    def _alarm_without_success(self, state_machine: sfn.StateMachine) -> None:
        """Tell that nothing ran, or nothing to a good end, for more than a day.

        Periods of an hour: with shorter ones an alarm looks back one day at most, with these up to seven. Right after
        the first deployment it tells too, until the first run.

        Source:
            https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (Period)
        """
        self._to_topic(
            cloudwatch.Alarm(
                self,
                "RunMissing",
                alarm_description=(
                    f"No run succeeded for {HOURS_WITHOUT_SUCCESS} hours. 13 days after the last success, days are lost"
                    " for good: look whether the rule RuleGetRepoTraffic is enabled, then start a run."
                ),
                metric=state_machine.metric_succeeded(period=Duration.hours(1), statistic="Sum"),
                threshold=1,
                comparison_operator=LESS,
                evaluation_periods=HOURS_WITHOUT_SUCCESS,
                datapoints_to_alarm=HOURS_WITHOUT_SUCCESS,
                treat_missing_data=cloudwatch.TreatMissingData.BREACHING,  # no run, no data: that is what is looked for
            )
        )

    def _watch(
        self, id_: str, metric: str, comparison: cloudwatch.ComparisonOperator, threshold: int, what: str
    ) -> None:
        """Tell of a number that Summarize run writes once a run; between two runs the alarm stays as it is."""
        self._to_topic(
            cloudwatch.Alarm(
                self,
                id_,
                alarm_description=f"{what} The last summary says more, and how many days remain.",
                metric=cloudwatch.Metric(
                    namespace=NAMESPACE,
                    metric_name=metric,
                    dimensions_map=DIMENSIONS,
                    period=Duration.minutes(5),
                    statistic="Minimum",
                ),
                threshold=threshold,
                comparison_operator=comparison,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
            )
        )

    def _to_topic(self, alarm: cloudwatch.Alarm) -> None:
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
