from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.console import console
from stacks.log_metrics import run_metric

LOOK = "The console and `traffic executions` show why."

BAD_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")

# A run may end after minutes, and the run of the next day after its 20 hours: up to 44 hours lie between healthy ends.
HOURS_WITHOUT_SUCCESS = 48
LATE = 4  # days since the newest day that GitHub reported; 3 happen now and then without a fault

# The subject of each summary begins so. headline.py writes it; the definition itself writes that of a plain summary.
SUBJECT = "GitHub traffic "

LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class Alarms(Construct):
    """Reports to the topic what a summary cannot report, or what people must notice even if they read no summary.

    A run that ended badly is reported on two paths, which share only the topic. The first is its own summary; if the
    run published none (it timed out, was aborted, or had a runtime error), the rule sends a mail that names the run.
    The second is an alarm, because Step Functions sends the rule's events with best effort only. Each path sends one
    mail, so people keep reading them.

    The other alarms report dangers: no successful run, nothing captured, a failing repository, a lost event, a token
    that expires, a GitHub that is late. Each reports once, when the danger begins, and stays in alarm while it lasts.
    No mail reports the end: the next summary shows it.

    Source:
        https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html (delivery type)
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
        alarms = [
            self._alarm("RunFailed", state_machine.metric_failed(), f"A run failed. {LOOK}"),
            self._alarm("RunTimedOut", state_machine.metric_timed_out(), f"A run timed out. {LOOK}"),
            self._alarm("RunAborted", state_machine.metric_aborted(), f"A run was aborted. {LOOK}"),
            self._alarm_without_success(state_machine),
            self._watch(
                "NothingCaptured", "Captured", LESS, 1, "No repository was captured: look at the token's access."
            ),
            self._alarm_of_dead_letters(dead_letters),
            self._watch("RepositoryFailing", "Failed", AT_LEAST, 1, "A repository of those listed was not captured."),
            self._watch(
                "TokenExpiring", "TokenExpiring", AT_LEAST, 1, "GitHub refuses the token, or it expires within 14 days."
            ),
            self._watch(
                "GitHubLate", "NewestDayAgeDays", AT_LEAST, LATE, "GitHub reports no new day for any repository."
            ),
        ]
        self.by_name = {alarm.node.id: alarm for alarm in alarms}
        self._report_bad_ends(state_machine, dead_letters)

    def _alarm(self, id_: str, metric: cloudwatch.Metric, description: str) -> cloudwatch.Alarm:
        """Report something that AWS counts only when it happens: no data means that all is well."""
        return self._to_topic(
            cloudwatch.Alarm(
                self,
                id_,
                alarm_description=description,
                metric=metric,
                threshold=1,
                evaluation_periods=1,
                comparison_operator=AT_LEAST,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
        )

    def _alarm_without_success(self, state_machine: sfn.StateMachine) -> cloudwatch.Alarm:
        """Report that no run succeeded for two days.

        The periods are hours: with shorter ones an alarm can look back one day at most, with hours seven days. Periods
        of a day would be too long: CloudWatch also looks at some earlier periods, and a success there would count. The
        alarm also reports a new deployment until its first run ends, because it cannot know when that will be.

        Source:
            https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (Period)
            https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
        """
        return self._to_topic(
            cloudwatch.Alarm(
                self,
                "RunMissing",
                alarm_description=(
                    f"No run succeeded for {HOURS_WITHOUT_SUCCESS} hours, or none since the deployment. 13 days after"
                    " the last success, days are lost for good: check that the rule RuleGetRepoTraffic is enabled, then"
                    " start a run."
                ),
                metric=state_machine.metric_succeeded(period=Duration.hours(1), statistic="Sum"),
                threshold=1,
                comparison_operator=LESS,
                evaluation_periods=HOURS_WITHOUT_SUCCESS,
                datapoints_to_alarm=HOURS_WITHOUT_SUCCESS,
                treat_missing_data=cloudwatch.TreatMissingData.BREACHING,  # without a run there is no data
            )
        )

    def _alarm_of_dead_letters(self, dead_letters: sqs.IQueue) -> cloudwatch.Alarm:
        """Report that EventBridge could not start a run, or could not report one.

        SQS sends data while the queue holds a message; six hours after the queue became empty, the data ends.

        Source:
            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        return self._alarm(
            "DeadLetters",
            dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            "EventBridge could not deliver an event: it did not start a run, or did not report its end. The message in"
            " the dead-letter queue shows which; start a run, then purge the queue.",
        )

    def _watch(
        self, id_: str, metric: str, comparison: cloudwatch.ComparisonOperator, threshold: int, what: str
    ) -> cloudwatch.Alarm:
        """Report a number that Summarize run writes once a run. Between two runs the alarm keeps its state."""
        return self._to_topic(
            cloudwatch.Alarm(
                self,
                id_,
                alarm_description=f"{what} The last summary shows details. A day is lost for good 13 days after it,"
                " unless a run captures it before.",
                metric=run_metric(metric, statistic="Minimum", period=Duration.minutes(5)),
                threshold=threshold,
                comparison_operator=comparison,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
            )
        )

    def _to_topic(self, alarm: cloudwatch.Alarm) -> cloudwatch.Alarm:
        alarm.add_alarm_action(actions.SnsAction(self._topic))
        return alarm

    def _report_bad_ends(self, state_machine: sfn.StateMachine, dead_letters: sqs.IQueue) -> None:
        # Imported by its ARN, so that CDK adds no statement: the topic's policy lets EventBridge in, on a condition.
        topic = sns.Topic.from_topic_arn(self, "SummaryTopic", self._topic.topic_arn)
        events.Rule(
            self,
            "RunEndedBadly",
            description="Reports runs of the traffic capture that ended badly without a summary.",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                # Children of the Map have the ARN of another machine (MACHINE/LABEL): the rule does not match them.
                detail={
                    "status": list(BAD_ENDS),
                    "stateMachineArn": [state_machine.state_machine_arn],
                    # "Fail run" uses the summary's subject as cause. With any other cause, no summary was published.
                    "cause": events.Match.any_of(
                        events.Match.does_not_exist(),
                        events.Match.null_value(),
                        events.Match.anything_but_prefix(SUBJECT),
                    ),
                },
            ),
            targets=[targets.SnsTopic(topic, message=_bad_end_text(console(self)), dead_letter_queue=dead_letters)],
        )


def _bad_end_text(console_url: str) -> events.RuleTargetInput:
    """Return the message. It is one line, because EventBridge quotes each line of a longer text."""
    name = events.EventField.from_path("$.detail.name")
    status = events.EventField.from_path("$.detail.status")
    execution = events.EventField.from_path("$.detail.executionArn")
    link = f"{console_url}/states/home?region={Aws.REGION}#/v2/executions/details/{execution}"
    return events.RuleTargetInput.from_text(
        f"GitHub traffic: the run {name} ended as {status} at {events.EventField.time}. See {link} - a day is lost for"
        " good 13 days after it, unless a run captures it before."
    )
