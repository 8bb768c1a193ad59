from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.reviewed import accept


class DeadLetters(Construct):
    """Keeps events that EventBridge could not deliver for two weeks: as long as GitHub keeps the days."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(self.queue, "SQS3", reason="This is the dead-letter queue itself.")
