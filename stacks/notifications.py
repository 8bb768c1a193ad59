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
    """The topic for summaries and alarms, and its subscription.

    The topic has no key. With `alias/aws/sns`, CloudWatch and EventBridge could not publish, and nobody would notice. A
    key of our own would cost a dollar a month and need a second policy, but e-mail sends the messages in clear anyway.
    """

    def __init__(self, scope: Construct, id_: str, *, email: str) -> None:
        super().__init__(scope, id_)
        self.topic = sns.Topic(self, "Summary", display_name="GitHub traffic", enforce_ssl=True)
        # CloudWatch publishes alarms in the name of the account; see "confused deputy" in SNS's guide.
        self._let_in("cloudwatch.amazonaws.com", "StringEquals")
        # "You can't use Condition blocks in Amazon SNS topic policies for EventBridge": it does not always send the
        # account. If it does, a rule of another account is refused; if it does not, our message still arrives.
        # Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
        self._let_in("events.amazonaws.com", "StringEqualsIfExists")
        given = CfnCondition(self, "EmailGiven", expression=Fn.condition_not(Fn.condition_equals(email, "")))
        self._subscribe(email, given)
        self._watch_subscriptions(given)
        output(self, "SummaryTopicArn", self.topic.topic_arn, "The topic for summaries and alarms.")

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
        """Let a function list the subscriptions."""
        function.add_environment("SUMMARY_TOPIC_ARN", self.topic.topic_arn)
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["sns:ListSubscriptionsByTopic"], resources=[self.topic.topic_arn])
        )

    def _subscribe(self, email: str, given: CfnCondition) -> None:
        """Subscribe the address, if there is one."""
        subscription = sns.Subscription(
            self, "Email", topic=self.topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=email
        )
        resource(subscription).cfn_options.condition = given

    def _watch_subscriptions(self, given: CfnCondition) -> None:
        """Show in the console that nobody gets mail although an address was set.

        The alarm has no action, because the topic's mail reaches nobody then. The dashboard shows the number instead of
        this alarm: without an address the alarm does not exist, and a reference to it would fail the deployment.
        """
        alarm = cloudwatch.Alarm(
            self,
            "NobodySubscribed",
            alarm_description="No e-mail address is subscribed and confirmed, so nobody gets summaries or alarms:"
            " traffic doctor --aws shows what to do.",
            metric=run_metric("EmailSubscriptions", statistic="Minimum", period=Duration.minutes(5)),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )
        resource(alarm).cfn_options.condition = given
