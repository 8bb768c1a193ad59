"""Commands with a `traffic.toml`: on a stack of the local engine as in AWS, and on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cli.command import STACK_NAME
from local.deploying import deploy
from local.engine import Engine, running_engine
from local.synthesis import synthesize
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Terminal
from tests.e2e.deployers import aws_settings
from tests.integration.pipeline import ASSEMBLY

TOKEN = "github_pat_replaced"


@dataclass(frozen=True)
class Deployed:
    """A stack on the engine instead of AWS, and a terminal."""

    engine: Engine
    github: SimulatedGitHub
    terminal: Terminal

    def typed(self, *options: str) -> CompletedProcess[str]:
        """Run `traffic settings --aws`."""
        return self.terminal.traffic("settings", "--aws", *options)

    def write(self, text: str) -> None:
        """Write the settings file."""
        (self.terminal.folder / "traffic.toml").write_text(text)

    def parameters(self) -> dict[str, str]:
        """Return the stack's parameters."""
        stack = self.engine.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    def token(self) -> str:
        """Return the value of the secret."""
        client = self.engine.client("secretsmanager")
        (name,) = (each["Name"] for each in client.list_secrets()["SecretList"])
        return str(client.get_secret_value(SecretId=name)["SecretString"])

    def change_sets(self) -> list[str]:
        """Return the change sets that are not executed."""
        listed = self.engine.client("cloudformation").list_change_sets(StackName=STACK_NAME)["Summaries"]
        return [each["ChangeSetName"] for each in listed if each.get("ExecutionStatus") != "EXECUTE_COMPLETE"]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A stack whose token was replaced, as `traffic token` does."""
    folder = tmp_path_factory.mktemp("settings")
    repositories = ["octo/docs", "octo-org/api", "octo-org/docs", "acme/docs"]
    with running_engine(folder / "history") as engine, SimulatedGitHub(repositories=repositories) as github:
        github.change("octo-org/docs", topics=["documentation"], internal=True)
        github.change("octo-org/api", topics=["api"], internal=True)
        first = {"GitHubAccessToken": "github_pat_first", "GitHubApiUrl": github.url, "Archived": "exclude"}
        outputs = deploy(engine, synthesize(ASSEMBLY), first)
        engine.client("secretsmanager").put_secret_value(SecretId=outputs["GitHubTokenSecret"], SecretString=TOKEN)
        # The environment contains other values, which must not affect the deployment.
        settings = {**aws_settings(engine), "TRAFFIC_FORKS": "only", "TRAFFIC_TOPICS": "nonsense"}
        yield Deployed(engine, github, Terminal(folder, settings))


def test_the_file_is_applied_to_the_stack_and_the_token_stays(deployed: Deployed) -> None:
    """Settings that the file lacks stay as deployed; the next run captures what the file selects."""
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

    assert "1 of 1 repository captured" in ran.stdout, ran.stdout + ran.stderr
    assert {call.repository for call in deployed.github.calls if call.repository} == {"octo-org/docs"}


@pytest.mark.slow
def test_a_value_that_cloudformation_refuses_changes_nothing(deployed: Deployed) -> None:
    """A file may be valid here, but not for a stack of another version."""
    before = deployed.parameters()
    deployed.write('api-url = "http://127.0.0.2:8080"\nforks = "only"\n')

    refused = deployed.typed("--apply")

    assert refused.returncode == 1
    assert "traffic: error: CloudFormation refuses the change: " in refused.stderr
    assert "GitHubApiUrl" in refused.stderr
    assert deployed.parameters() == before
    assert deployed.change_sets() == []


def test_a_wrong_file_is_refused_without_a_call(deployed: Deployed) -> None:
    """The message contains the line, as in every command."""
    deployed.write('forks = "no"\n')

    refused = deployed.typed("--apply")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("traffic: error: traffic.toml, line 1: forks is 'no'")


def test_nothing_is_applied_without_a_file(deployed: Deployed) -> None:
    """In the wrong folder, the command must not look successful."""
    Path(deployed.terminal.folder / "traffic.toml").unlink(missing_ok=True)

    refused = deployed.typed("--apply")

    assert refused.returncode == 2
    assert f"There is neither {deployed.terminal.folder}/traffic.toml nor " in refused.stderr


@pytest.mark.slow
def test_a_run_on_this_machine_reads_the_file(terminal: Terminal) -> None:
    """It also reads `.env`, with the token; environment variables take precedence over both."""
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
