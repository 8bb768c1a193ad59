from aws_cdk import Aws, CfnCondition, Duration, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.first_version import resource
from stacks.log_metrics import run_metric
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
        given = CfnCondition(self, "EmailGiven", expression=Fn.condition_not(Fn.condition_equals(email, "")))
        self._subscribe(email, given)
        self._watch_subscriptions(given)
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

    def let_count_subscriptions(self, function: lambda_.Function) -> None:
        """Let a function list who is subscribed."""
        function.add_environment("SUMMARY_TOPIC_ARN", self.topic.topic_arn)
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["sns:ListSubscriptionsByTopic"], resources=[self.topic.topic_arn])
        )

    def _subscribe(self, email: str, given: CfnCondition) -> None:
        """Subscribe the address, if one is given."""
        subscription = sns.Subscription(
            self, "Email", topic=self.topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=email
        )
        resource(subscription).cfn_options.condition = given

    def _watch_subscriptions(self, given: CfnCondition) -> None:
        """Show in the console that an address was given, but nobody gets mail.

        Without an action: the topic's mails reach nobody then. The dashboard shows the number and not this alarm, as
        what refers to a resource that is not there fails the deployment.
        """
        alarm = cloudwatch.Alarm(
            self,
            "NobodySubscribed",
            alarm_description="No e-mail address is subscribed and confirmed, so that nobody gets summaries or alarms:"
            " traffic doctor --aws says what to do.",
            metric=run_metric("EmailSubscriptions", statistic="Minimum", period=Duration.minutes(5)),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )
        resource(alarm).cfn_options.condition = given
