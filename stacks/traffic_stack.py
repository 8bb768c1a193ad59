import os

from aws_cdk import App, DefaultStackSynthesizer, Environment, Stack
from constructs import Construct

from stacks.alarms import Alarms
from stacks.dashboard import Dashboard
from stacks.dead_letters import DeadLetters
from stacks.functions import Functions
from stacks.notifications import Notifications
from stacks.parameters import Parameters
from stacks.schedule import Schedule
from stacks.storage import Storage
from stacks.token_secret import Token
from stacks.workflow import Workflow

STACK_NAME = "GitHubTrafficCaptureStack"


class GitHubTrafficCaptureStack(Stack):
    """Keeps the GitHub traffic of every repository that a token can push to."""

    def __init__(self, scope: Construct, id_: str, place: Environment | None = None) -> None:
        super().__init__(
            scope,
            id_,
            env=place,
            description="Captures GitHub repository traffic every day, and keeps it.",
            # The CDK CLI checks the bootstrap version itself. Without the template's own rule and SSM parameter, the
            # same template deploys where nothing is bootstrapped: on the local engine.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        parameters = Parameters(self, "Parameters")
        storage = Storage(self, "Storage")
        secret = Token(self, "Token", parameter=parameters.by_name["GitHubAccessToken"]).secret
        notifications = Notifications(self, "Notifications", email=parameters.by_name["SummaryEmail"].value_as_string)
        topic = notifications.topic
        dead_letters = DeadLetters(self, "DeadLetters").queue
        functions = Functions(self, "Functions", storage=storage, token=secret, parameters=parameters)
        notifications.let_count_subscriptions(functions.summarize_run)
        workflow = Workflow(self, "Workflow", functions=functions.by_name, archive=storage.archive, topic=topic)
        machine = workflow.state_machine
        Schedule(self, "Schedule", state_machine=machine, dead_letters=dead_letters)
        alarms = Alarms(self, "Alarms", state_machine=machine, topic=topic, dead_letters=dead_letters).by_name
        Dashboard(self, "Dashboard", alarms=alarms, state_machine=machine, functions=functions.by_name)


def traffic_app(*, bundling: bool = True, outdir: str | None = None) -> App:
    """Build the app: one stack, for the account and region that the CDK CLI found, or for any where it found none.

    With both known the archive's name is a plain string in the template. Only such a name lets CloudFormation adopt the
    bucket that an earlier deployment kept.

    Args:
        bundling: False leaves the functions' wheels out, for who only wants to look at the template.
        outdir: Where the cloud assembly goes; a temporary folder when None.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    # What CDK should do differently is said here, not in cdk.json: `python app.py` and `cdk synth` give one template.
    context: dict[str, list[str]] = {} if bundling else {"aws:cdk:bundling-stacks": []}
    app = App(outdir=outdir, context=context, analytics_reporting=False)
    account, region = os.environ.get("CDK_DEFAULT_ACCOUNT"), os.environ.get("CDK_DEFAULT_REGION")
    place = Environment(account=account, region=region) if account and region else None
    GitHubTrafficCaptureStack(app, STACK_NAME, place)
    return app
