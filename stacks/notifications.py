from aws_cdk import Aws, CfnCondition, Fn
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.first_version import resource
from stacks.outputs import output


class Notifications(Construct):
    """The topic that says what happened, and who may publish to it.

    It has no key: `alias/aws/sns` would shut CloudWatch and EventBridge out, silently, and a key of our own costs a
    dollar a month and a second policy to get right, for messages that are e-mailed in clear anyway.
    """

    def __init__(self, scope: Construct, id_: str, *, email: str) -> None:
        super().__init__(scope, id_)
        self.topic = sns.Topic(self, "Summary", display_name="GitHub traffic", enforce_ssl=True)
        # Alarms are published in the name of the account; see "confused deputy" in SNS's guide.
        self._let_in("cloudwatch.amazonaws.com", "StringEquals")
        # "You can't use Condition blocks in Amazon SNS topic policies for EventBridge": it does not always say for whom
        # it publishes. Another account's rule is refused where it does say so; ours is not lost where it does not.
        # Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
        self._let_in("events.amazonaws.com", "StringEqualsIfExists")
        self._subscribe(email)
        output(self, "SummaryTopicArn", self.topic.topic_arn, "Where summaries and alarms are published.")

    def _let_in(self, service: str, operator: str) -> None:
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={operator: {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )

    def _subscribe(self, email: str) -> None:
        """Subscribe the address, if one is given."""
        given = CfnCondition(self, "EmailGiven", expression=Fn.condition_not(Fn.condition_equals(email, "")))
        subscription = sns.Subscription(
            self, "Email", topic=self.topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=email
        )
        resource(subscription).cfn_options.condition = given
