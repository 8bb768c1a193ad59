import os

from aws_cdk import App, DefaultStackSynthesizer, Environment, Stack
from constructs import Construct

from stacks.alarms import Alarms
from stacks.dashboard import Dashboard
from stacks.dead_letters import DeadLetters
from stacks.functions import Functions
from stacks.notifications import Notifications
from stacks.parameters import Parameters
from stacks.queries import Queries
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
            description="Captures the traffic of GitHub repositories every day, and keeps it.",
            # The CDK CLI checks the bootstrap version itself. Without its own rule and SSM parameter for that, the
            # template also deploys on the local engine, which nobody bootstraps.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        parameters = Parameters(self, "Parameters")
        storage = Storage(self, "Storage")
        Queries(self, "Queries", archive=storage.archive)
        secret = Token(self, "Token", parameter=parameters.by_name["GitHubAccessToken"]).secret
        notifications = Notifications(self, "Notifications", email=parameters.by_name["SummaryEmail"].value_as_string)
        topic = notifications.topic
        dead_letters = DeadLetters(self, "DeadLetters").queue
        functions = Functions(self, "Functions", storage=storage, token=secret, parameters=parameters)
        notifications.let_count_subscriptions(functions.summarize_run)
        workflow = Workflow(self, "Workflow", functions=functions.by_name, archive=storage.archive, topic=topic)
        machine = workflow.state_machine
        hour = parameters.by_name["RunHour"].value_as_string
        Schedule(self, "Schedule", state_machine=machine, dead_letters=dead_letters, hour=hour)
        alarms = Alarms(self, "Alarms", state_machine=machine, topic=topic, dead_letters=dead_letters).by_name
        Dashboard(self, "Dashboard", alarms=alarms, state_machine=machine, functions=functions.by_name)


def traffic_app(*, bundling: bool = True, outdir: str | None = None) -> App:
    """Return the app: one stack, for the account and region that the CDK CLI found, or for any if it found none.

    If both are known, the archive's name is a plain string in the template. Only then can CloudFormation adopt the
    bucket that an earlier deployment kept.

    Args:
        bundling: False leaves out the functions' wheels, if only the template is wanted.
        outdir: The folder for the cloud assembly; None for a temporary folder.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    # The context is set here and not in cdk.json, so that `python app.py` and `cdk synth` make the same template.
    context: dict[str, list[str]] = {} if bundling else {"aws:cdk:bundling-stacks": []}
    app = App(outdir=outdir, context=context, analytics_reporting=False)
    account, region = os.environ.get("CDK_DEFAULT_ACCOUNT"), os.environ.get("CDK_DEFAULT_REGION")
    place = Environment(account=account, region=region) if account and region else None
    GitHubTrafficCaptureStack(app, STACK_NAME, place)
    return app
