from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.first_version import DAILY_RULE, keep_logical_id


class Schedule(Construct):
    """Starts a run every day, after GitHub has published the day before (between 05:00 and 07:00 UTC)."""

    def __init__(
        self, scope: Construct, id_: str, *, state_machine: sfn.IStateMachine, dead_letters: sqs.IQueue, hour: str
    ) -> None:
        super().__init__(scope, id_)
        rule = events.Rule(
            self,
            "RuleGetRepoTraffic",
            rule_name="RuleGetRepoTraffic",
            description="Captures the GitHub traffic once a day.",
            schedule=events.Schedule.cron(hour=hour, minute="0"),
            targets=[
                targets.SfnStateMachine(
                    state_machine,
                    retry_attempts=185,
                    # A late start loses nothing: GitHub keeps 14 days. After 12 hours the next start is near.
                    max_event_age=Duration.hours(12),
                    dead_letter_queue=dead_letters,
                )
            ],
        )
        keep_logical_id(rule, DAILY_RULE)
