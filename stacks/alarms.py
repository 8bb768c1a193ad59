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

LOOK = "Its execution, in the console or by `traffic executions`, says why."

BAD_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")

HOURS_WITHOUT_SUCCESS = 48  # a healthy run may take its 20 hours, and the next one minutes: 44 hours between two ends
LATE = 4  # days since GitHub's newest day: up to 3 are seen now and then

TOLD = "GitHub traffic "  # each summary's subject begins so: headline.py writes it, the definition that of a plain one

LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class Alarms(Construct):
    """Reports to the topic what the summaries cannot, or what must not depend on them being read.

    A run that ended badly is reported twice, on two ways that share nothing but the topic. First by its own summary (a
    plain one if Summarize run failed) or, if none was published (timed out, aborted, runtime error), by the rule, which
    names the run. Second by an alarm, as the events that the rule waits for are sent with best effort only. Each way
    sends one mail, so that people keep reading them.
    What is in danger: no run at all, nothing captured, an event lost, a token that ends, a GitHub that is late. These
    tell when it begins, stay in alarm as long as it lasts, and say nothing when it is over: the next summary does.

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
        """Tell of something that is counted only when it happens: no data is good news."""
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

        Periods of an hour: with shorter ones an alarm looks back one day at most, with these up to seven. Not one
        period of a day: CloudWatch looks further back than the periods to evaluate, and a success there counts. Right
        after the first deployment it tells too, until the first run: when that will be, nothing here knows.

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
                    " the last success, days are lost for good: look whether the rule RuleGetRepoTraffic is enabled,"
                    " then start a run."
                ),
                metric=state_machine.metric_succeeded(period=Duration.hours(1), statistic="Sum"),
                threshold=1,
                comparison_operator=LESS,
                evaluation_periods=HOURS_WITHOUT_SUCCESS,
                datapoints_to_alarm=HOURS_WITHOUT_SUCCESS,
                treat_missing_data=cloudwatch.TreatMissingData.BREACHING,  # no run, no data: that is what is looked for
            )
        )

    def _alarm_of_dead_letters(self, dead_letters: sqs.IQueue) -> cloudwatch.Alarm:
        """Tell that EventBridge could not start a run, or could not report one.

        A queue that holds a message is active, and so has data; an empty one falls silent after six hours.

        Source:
            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        return self._alarm(
            "DeadLetters",
            dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            "EventBridge could not deliver an event: a run was not started, or its end not reported. The message in the"
            " dead-letter queue says which; start a run, then purge the queue.",
        )

    def _watch(
        self, id_: str, metric: str, comparison: cloudwatch.ComparisonOperator, threshold: int, what: str
    ) -> cloudwatch.Alarm:
        """Tell of a number that Summarize run writes once a run; between two runs the alarm stays as it is."""
        return self._to_topic(
            cloudwatch.Alarm(
                self,
                id_,
                alarm_description=f"{what} The last summary says more; a day is lost for good 13 days after it, if"
                " nothing captures it until then.",
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
        # By its ARN, the topic gets no statement added: its own policy already lets EventBridge in, on our condition.
        topic = sns.Topic.from_topic_arn(self, "SummaryTopic", self._topic.topic_arn)
        events.Rule(
            self,
            "RunEndedBadly",
            description="Reports runs of the traffic capture that ended badly, and came to no summary that says so.",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                # Children of the Map have another machine's ARN (MACHINE/LABEL), and so are not reported one by one.
                detail={
                    "status": list(BAD_ENDS),
                    "stateMachineArn": [state_machine.state_machine_arn],
                    # "Fail run" gives the summary's subject as cause; whatever else ended the run, nobody has told yet.
                    "cause": events.Match.any_of(
                        events.Match.does_not_exist(),
                        events.Match.null_value(),
                        events.Match.anything_but_prefix(TOLD),
                    ),
                },
            ),
            targets=[targets.SnsTopic(topic, message=_bad_end_text(console(self)), dead_letter_queue=dead_letters)],
        )


def _bad_end_text(console_url: str) -> events.RuleTargetInput:
    """Word the message. One line: EventBridge sends a text of several lines as several quoted strings."""
    name = events.EventField.from_path("$.detail.name")
    status = events.EventField.from_path("$.detail.status")
    execution = events.EventField.from_path("$.detail.executionArn")
    link = f"{console_url}/states/home?region={Aws.REGION}#/v2/executions/details/{execution}"
    return events.RuleTargetInput.from_text(
        f"GitHub traffic: the run {name} ended as {status} at {events.EventField.time}. See {link} - a day is lost for"
        " good 13 days after it, if no run captures it until then."
    )
