"""`traffic settings` with a CloudFormation that answers as the test wants."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.commands.settings import apply, compare
from cli.main import main
from cli.settings.settings_file import Written
from cli.stack import change_set
from cli.stack.change_set import change_parameters
from cli.stack.deployment import Deployment
from cli.terminal import CommandError
from traffic.settings import FILE_SETTINGS, SETTINGS

REFUSED = "Template error: a reason."
NO_CHANGE = "The submitted information didn't contain changes. Submit different information to create a change set."


class FakeCloudFormation:
    """CloudFormation with one stack.

    Attributes:
        parameters: The stack's parameters.
        calls: The calls that change something, in order.
        refuses: Why no change set can be made; empty if it can.
        states: The states of the stack after the change set was executed, one for each look.
    """

    def __init__(self, *, refuses: str = "", ends: tuple[str, ...] = ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")) -> None:
        self.parameters = {each.parameter: each.default for each in FILE_SETTINGS} | {"GitHubAccessToken": "****"}
        self.refuses, self.states = refuses, [*ends]
        self.calls: list[str] = []
        self.asked: dict[str, Any] = {}
        self.status = "UPDATE_ROLLBACK_COMPLETE"

    def create_change_set(self, **asked: Any) -> dict[str, str]:
        """Make a change set."""
        self.calls.append("create")
        self.asked = asked
        return {"Id": "change"}

    def describe_change_set(self, *, StackName: str, ChangeSetName: str) -> dict[str, str]:  # noqa: N803 - boto3's names
        """Return that the change set is made, or why not."""
        assert StackName == self.asked["StackName"]
        assert ChangeSetName == "change"
        return {"Status": "FAILED", "StatusReason": self.refuses} if self.refuses else {"Status": "CREATE_COMPLETE"}

    def delete_change_set(self, *, StackName: str, ChangeSetName: str) -> None:  # noqa: N803 - boto3's names
        """Delete the change set."""
        assert StackName == self.asked["StackName"]
        self.calls.append(f"delete {ChangeSetName}")

    def execute_change_set(self, *, StackName: str, ChangeSetName: str) -> None:  # noqa: N803 - boto3's names
        """Begin, but still show the old state at the next look."""
        assert StackName == self.asked["StackName"]
        self.calls.append(f"execute {ChangeSetName}")
        self.states.insert(0, self.status)

    def describe_stacks(self, **_asked: str) -> Any:
        """Return the stack's state and parameters."""
        if "execute change" in self.calls:
            self.status = self.states.pop(0)
            if self.status == "UPDATE_IN_PROGRESS":  # CloudFormation shows the new values at once
                given = self.asked["Parameters"]
                self.parameters |= {p["ParameterKey"]: p["ParameterValue"] for p in given if "ParameterValue" in p}
        shown = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        return {"Stacks": [{"StackStatus": self.status, "Parameters": shown}]}

    def describe_events(self, **_asked: str) -> Any:
        """Return no refusals."""
        return {"OperationEvents": []}

    def describe_stack_events(self, **_asked: str) -> Any:
        """Return which resource failed."""
        failed = {"LogicalResourceId": "ListRepos", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "why"}
        return {"StackEvents": [failed]}


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between two looks."""
    monkeypatch.setattr(change_set, "LOOK_EVERY", 0)


def deployment(client: FakeCloudFormation, **parameters: str) -> Deployment:
    """Return a deployment with some parameters."""
    client.parameters |= parameters
    give: Callable[[str], Any] = lambda _service: client  # noqa: E731
    return Deployment(
        outputs={}, client=give, place="AWS region x", parameters=dict(client.parameters), options=" --aws"
    )


def test_only_settings_in_the_file_are_sent_and_all_others_keep_their_values() -> None:
    """The token cannot be read back, so it must not be sent to be kept."""
    client = FakeCloudFormation()

    apply(deployment(client, Forks="only"), "stack", {"owners": Written("octo", 1), "exclude": Written("", 2)})

    asked = {each.pop("ParameterKey"): each for each in client.asked.pop("Parameters")}
    assert asked.pop("Owners") == {"ParameterValue": "octo"}
    assert set(asked) == set(client.parameters) - {"Owners"}
    assert all(each == {"UsePreviousValue": True} for each in asked.values())
    assert client.asked.pop("ChangeSetName").startswith("traffic-settings-")
    assert client.asked == {
        "StackName": "stack",
        "ChangeSetType": "UPDATE",
        "UsePreviousTemplate": True,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }
    assert client.calls == ["create", "execute change"]
    assert client.parameters["Forks"] == "only"


def test_cloudformation_is_not_called_if_nothing_differs(capsys: pytest.CaptureFixture[str]) -> None:
    """The command reports that, as success."""
    client = FakeCloudFormation()

    apply(deployment(client, Owners="octo"), "stack", {"owners": Written("octo", 1)})

    assert client.calls == []
    assert (
        capsys.readouterr().out
        == "Nothing to change: the stack in AWS region x has the values of traffic.toml already.\n"
    )


def test_a_change_set_without_changes_is_no_error_and_is_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody else was faster."""
    client = FakeCloudFormation(refuses=NO_CHANGE)

    apply(deployment(client), "stack", {"owners": Written("octo", 1)})

    assert client.calls == ["create", "delete change"]
    assert capsys.readouterr().out == (
        "Changing Owners of the stack in AWS region x ...\n"
        "Nothing to change: the stack in AWS region x has the values of traffic.toml already.\n"
    )


def test_a_refused_change_set_is_deleted_and_the_reason_is_reported() -> None:
    """A forgotten one can be executed by mistake, and counts against a limit."""
    client = FakeCloudFormation(refuses=REFUSED)

    with pytest.raises(CommandError, match=r"refuses the change: Template error: a reason\. Nothing was changed"):
        change_parameters(client, "stack", client.parameters, {"Owners": "octo"})

    assert client.calls == ["create", "delete change"]


def test_an_interrupted_change_set_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before it is executed leaves the stack as it was."""
    client = FakeCloudFormation()

    def interrupted(**_asked: str) -> dict[str, str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "describe_change_set", interrupted)
    with pytest.raises(KeyboardInterrupt):
        change_parameters(client, "stack", client.parameters, {"Owners": "octo"})

    assert client.calls == ["create", "delete change"]


def test_a_change_that_is_rolled_back_is_reported_with_its_reason() -> None:
    """An earlier change was rolled back, too: its state does not count for this change."""
    client = FakeCloudFormation(ends=("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"))

    with pytest.raises(CommandError, match="failed, the stack is UPDATE_ROLLBACK_COMPLETE: ListRepos: why"):
        change_parameters(client, "stack", client.parameters, {"Owners": "octo"})

    assert client.states == []


def test_another_update_of_the_stack_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message does not blame the credentials."""
    client = FakeCloudFormation()
    answered = {
        "Error": {"Code": "ValidationError", "Message": "Stack is in UPDATE_IN_PROGRESS state and can not be updated."}
    }

    def busy(**_asked: Any) -> dict[str, str]:
        raise ClientError(answered, "CreateChangeSet")  # type: ignore[arg-type]

    monkeypatch.setattr(client, "create_change_set", busy)
    with pytest.raises(CommandError, match=r"UPDATE_IN_PROGRESS state and can not be updated\. Nothing was changed"):
        change_parameters(client, "stack", client.parameters, {"Owners": "octo"})


def test_a_stack_of_an_older_version_gets_no_unknown_parameter() -> None:
    """CloudFormation would report the error less clearly."""
    client = FakeCloudFormation()
    del client.parameters["Owners"]

    with pytest.raises(CommandError, match="has no parameter Owners: deploy this version"):
        apply(deployment(client), "stack", {"owners": Written("octo", 1)})

    assert client.calls == []


def test_lists_that_are_too_long_together_are_refused() -> None:
    """A list of the file and a list of the stack may be too long only together."""
    client, long = FakeCloudFormation(), ",".join(["octo/*"] * 250)

    with pytest.raises(CommandError, match="Together with the values of the stack, include and exclude have 3,498"):
        apply(deployment(client, Exclude=long), "stack", {"include": Written(long, 1)})

    assert client.calls == []


def test_the_token_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """Not even its mask is shown."""
    compare(
        deployment(FakeCloudFormation(), Owners="octo"), {"owners": Written("acme", 1), "forks": Written("include", 2)}
    )

    printed = capsys.readouterr()
    assert "owners\tocto\tacme\tdiffers" in printed.out
    assert "forks\tinclude\tinclude\tsame" in printed.out
    assert "archived\tinclude\t\tnot in the file" in printed.out
    assert "*" not in printed.out
    assert printed.err == "1 differ: `traffic settings --aws --apply` changes the stack.\n"


@pytest.fixture
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Go to a folder with settings of every kind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traffic.toml").write_text('\nowners = ["octo"]\nforks = "only"\nsummary-mail = "weekly"\n')
    (tmp_path / ".env").write_text("GITHUB_TOKEN=github_pat_planted\nTRAFFIC_FORKS=exclude\n")
    for name in ("GITHUB_TOKEN", "GITHUB_API_URL", *(each.variable for each in FILE_SETTINGS if each.local)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRAFFIC_TOPICS", "python")
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path / "home"))


@pytest.mark.usefixtures("_folder")
def test_each_setting_is_shown_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    """People who miss a repository look here first. The token is not shown."""
    assert main(["settings"]) == 0

    printed = capsys.readouterr().out
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in printed.splitlines()}
    assert rows["owners"] == ["octo", "traffic.toml, line 2"]
    assert rows["forks"] == ["exclude", ".env"]
    assert rows["topics"] == ["python", "environment"]
    assert rows["archived"] == ["include", "default"]
    assert rows["summary-mail"] == ["weekly", "traffic.toml, line 4 (for AWS only)"]
    assert rows["token"] == ["set, not shown", ".env"]
    assert list(rows) == [each.key for each in SETTINGS]
    assert rows["home"][1] == "environment"
    assert rows["summary-email"] == ["", "default (for AWS only)"]
    assert "planted" not in printed


@pytest.mark.usefixtures("_folder")
def test_apply_is_for_aws(capsys: pytest.CaptureFixture[str]) -> None:
    """On this machine there is nothing to apply."""
    assert main(["settings", "--apply"]) == 2
    assert capsys.readouterr().err == (
        "traffic: error: --apply changes the stack in AWS: add --aws. On this machine each command reads the settings"
        " itself.\n"
    )


def test_the_fixed_place_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`mkdir -p "$(traffic settings --path)"` makes it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/octo/my config")

    assert main(["settings", "--path"]) == 0
    assert capsys.readouterr() == ("/home/octo/my config/github-traffic-capture\n", "")
    for option in ("--aws", "--apply"):
        assert main(["settings", "--path", option]) == 2
        assert "--path shows a folder of this machine: leave --aws and --apply out." in capsys.readouterr().err


@pytest.mark.usefixtures("_folder")
def test_both_settings_files_are_compared_with_the_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The current folder's wins, as on this machine."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    fixed = tmp_path / "config" / "github-traffic-capture" / "traffic.toml"
    fixed.parent.mkdir(parents=True)
    fixed.write_text('forks = "exclude"\ntopics = ["api"]\n')
    monkeypatch.setattr(
        "cli.commands.settings.aws_deployment", lambda _target: nullcontext(deployment(FakeCloudFormation()))
    )

    assert main(["settings", "--aws"]) == 0

    printed = capsys.readouterr()
    assert "forks\tinclude\tonly\tdiffers" in printed.out
    assert "topics\t\tapi\tdiffers" in printed.out
    assert printed.err.splitlines()[0] == f"Using {tmp_path}/traffic.toml and {fixed}."


@pytest.mark.usefixtures("_folder")
def test_an_error_in_the_file_of_the_current_folder_is_reported_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on this machine. AWS is not called."""
    (tmp_path / "traffic.toml").write_text('forks = "no"\n')

    assert main(["settings", "--aws"]) == 2
    assert capsys.readouterr().err.startswith("traffic: error: traffic.toml, line 1: forks is 'no'")


def test_applying_needs_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder without one, the command must not look successful."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    assert main(["settings", "--aws", "--apply"]) == 2
    assert capsys.readouterr().err == (
        f"traffic: error: There is neither {tmp_path}/traffic.toml nor"
        f" {tmp_path}/config/github-traffic-capture/traffic.toml: write one of them.\n"
    )
