"""`traffic.toml` in the hands of a person: on a stack that the local engine serves as AWS does, and on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from local.deploying import deploy
from local.engine import Engine, running_engine
from local.synthesis import synthesize
from simulated_github import SimulatedGitHub
from stacks.traffic_stack import STACK_NAME
from tests.e2e.commands import Terminal
from tests.e2e.deployers import aws_settings
from tests.integration.pipeline import ASSEMBLY

TOKEN = "github_pat_replaced"


@dataclass(frozen=True)
class Deployed:
    """A stack in a supposed AWS account, and a terminal beside it."""

    engine: Engine
    github: SimulatedGitHub
    terminal: Terminal

    def typed(self, *options: str) -> CompletedProcess[str]:
        """Type `traffic settings --aws`."""
        return self.terminal.traffic("settings", "--aws", *options)

    def write(self, text: str) -> None:
        """Write the settings file."""
        (self.terminal.folder / "traffic.toml").write_text(text)

    def parameters(self) -> dict[str, str]:
        """Read the stack's parameters."""
        stack = self.engine.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    def token(self) -> str:
        """Read the secret."""
        client = self.engine.client("secretsmanager")
        (name,) = (each["Name"] for each in client.list_secrets()["SecretList"])
        return str(client.get_secret_value(SecretId=name)["SecretString"])

    def change_sets(self) -> list[str]:
        """List the change sets that wait to be executed."""
        listed = self.engine.client("cloudformation").list_change_sets(StackName=STACK_NAME)["Summaries"]
        return [each["ChangeSetName"] for each in listed if each.get("ExecutionStatus") != "EXECUTE_COMPLETE"]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Deploy with one token, then put another into its place, as `traffic token` does."""
    folder = tmp_path_factory.mktemp("settings")
    repositories = ["octo/docs", "octo-org/api", "octo-org/docs", "acme/docs"]
    with running_engine(folder / "history") as engine, SimulatedGitHub(repositories=repositories) as github:
        github.change("octo-org/docs", topics=["documentation"], internal=True)
        github.change("octo-org/api", topics=["api"], internal=True)
        first = {"GitHubAccessToken": "github_pat_first", "GitHubApiUrl": github.url, "Archived": "exclude"}
        outputs = deploy(engine, synthesize(ASSEMBLY), first)
        engine.client("secretsmanager").put_secret_value(SecretId=outputs["GitHubTokenSecret"], SecretString=TOKEN)
        # The environment names other values: what is deployed must not depend on whose terminal it is typed in.
        settings = {**aws_settings(engine), "TRAFFIC_FORKS": "only", "TRAFFIC_TOPICS": "nonsense"}
        yield Deployed(engine, github, Terminal(folder, settings))


def test_the_file_is_brought_to_the_stack_and_the_token_stays(deployed: Deployed) -> None:
    """What the file does not name stays as it is deployed; the next run captures what the file wants."""
    before = deployed.parameters()
    deployed.write(
        'owners = ["octo-org"]\ntopics = ["documentation"]\nvisibility = ["internal"]\nsummary-mail = "weekly"\n'
    )

    shown, applied = deployed.typed(), deployed.typed("--apply")
    again, compared = deployed.typed("--apply"), deployed.typed()

    assert [each.returncode for each in (shown, applied, again, compared)] == [0] * 4, applied.stdout + applied.stderr
    assert "owners\t\tocto-org\tdiffers" in shown.stdout
    assert "archived\texclude\t\tnot in the file" in shown.stdout
    assert "4 differ: `traffic settings --aws --apply` changes the stack." in shown.stderr
    assert "Changed owners: (empty) -> octo-org" in applied.stdout
    assert "Changed summary-mail: all -> weekly" in applied.stdout
    assert again.stdout.startswith("Nothing to change")
    assert "owners\tocto-org\tocto-org\tsame" in compared.stdout
    wanted = {"Owners": "octo-org", "Topics": "documentation", "Visibility": "internal", "SummaryMail": "weekly"}
    assert deployed.parameters() == {**before, **wanted}
    assert deployed.token() == TOKEN
    assert "github_pat" not in "".join(each.stdout + each.stderr for each in (shown, applied, again, compared))

    ran = deployed.terminal.traffic("run", "--aws")

    assert "1 of 1 repositories captured" in ran.stdout, ran.stdout + ran.stderr
    assert {call.repository for call in deployed.github.calls if call.repository} == {"octo-org/docs"}


@pytest.mark.slow
def test_a_value_that_cloudformation_refuses_changes_nothing(deployed: Deployed) -> None:
    """A file that is right here may be wrong for a stack of another version."""
    before = deployed.parameters()
    deployed.write('api-url = "http://127.0.0.2:8080"\nforks = "only"\n')

    refused = deployed.typed("--apply")

    assert refused.returncode == 1
    assert "traffic: error: CloudFormation refuses the change: " in refused.stderr
    assert "GitHubApiUrl" in refused.stderr
    assert deployed.parameters() == before
    assert deployed.change_sets() == []


def test_a_wrong_file_is_refused_before_anything_is_asked(deployed: Deployed) -> None:
    """With its line, as everywhere."""
    deployed.write('forks = "no"\n')

    refused = deployed.typed("--apply")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("traffic: error: traffic.toml, line 1: forks is 'no'")


def test_nothing_is_applied_without_a_file(deployed: Deployed) -> None:
    """Typed in the wrong folder it must not pass for done."""
    Path(deployed.terminal.folder / "traffic.toml").unlink(missing_ok=True)

    refused = deployed.typed("--apply")

    assert refused.returncode == 2
    assert f"There is no traffic.toml in {deployed.terminal.folder}" in refused.stderr


@pytest.mark.slow
def test_a_run_on_this_machine_reads_the_file(terminal: Terminal) -> None:
    """As it reads `.env`, where the token stays; what is typed before the command wins."""
    with SimulatedGitHub(repositories=8, owners=["octo", "octo-org"], token="good") as github:
        (terminal.folder / ".env").write_text("GITHUB_TOKEN=good\n")
        (terminal.folder / "traffic.toml").write_text(
            f'owners = ["octo-org"]\ntopics = ["nothing"]\napi-url = "{github.url}"\nsummary-email = "a@b.example"\n'
        )
        terminal.settings["TRAFFIC_TOPICS"] = "documentation"
        ran = terminal.traffic("run")
        asked = {call.repository for call in github.calls if call.repository}

    assert "2 of 2 repositories captured" in ran.stdout, ran.stdout + ran.stderr
    assert asked == {"octo-org/docs", "octo-org/website"}
