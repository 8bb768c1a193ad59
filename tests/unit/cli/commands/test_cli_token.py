"""`traffic token`: which token it replaces, and which inputs it refuses."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
import pytest
from botocore.exceptions import ClientError

from cli.command import Target, read_owner
from cli.commands import token
from cli.commands.token import read_token, replace_token
from cli.main import main
from cli.settings.local_settings import local_settings
from cli.stack.deployment import Deployment, NothingDeployedError
from cli.terminal import CommandError, UsageError
from simulated_github import SimulatedGitHub, faults
from tests.unit.cli_stack import Stack, fresh_stack

stack = pytest.fixture(fresh_stack)


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """A GitHub that accepts one token."""
    with SimulatedGitHub(repositories=["octo/docs"], token="good", token_expires="2027-01-31 10:13:04 UTC") as github:
        yield github


def with_secret(stack: Stack, github: SimulatedGitHub) -> Stack:
    """Put a dead token into the stack, and the address of the GitHub on loopback."""
    stack.deployment.client("secretsmanager").create_secret(Name="token", SecretString="dead")
    stack.deployment = replace(stack.deployment, parameters={"GitHubApiUrl": github.url})
    return stack


def secret_of(stack: Stack) -> str:
    """Read the secret."""
    return str(stack.deployment.client("secretsmanager").get_secret_value(SecretId="token")["SecretString"])


def test_a_good_token_replaces_the_old_one(
    stack: Stack, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not shown anywhere: terminals are recorded, and other people see them."""
    with_secret(stack, github)

    replace_token(stack.deployment, "good", check=True)

    output = capsys.readouterr()
    assert (secret_of(stack), stack.saves) == ("good", 1)
    assert output.out.splitlines() == [
        "GitHub accepts it as octo; it expires 2027-01-31 10:13:04 UTC.",
        "Replaced the token.",
    ]
    assert "good" not in output.out + output.err


def test_a_refused_token_leaves_the_old_one(stack: Stack, github: SimulatedGitHub) -> None:
    """A wrong paste must not end the captures."""
    with_secret(stack, github)

    with pytest.raises(CommandError) as refused:
        replace_token(stack.deployment, "wrong", check=True)

    assert (secret_of(stack), stack.saves) == ("dead", 0)
    assert str(refused.value) == (
        "GitHub refuses this token (401), so it was not stored: make a new one, or see --no-check."
    )


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.html_200(), "answers with a web page"),
        (faults.html_refusal(401), "answers with a web page"),
        (faults.html_refusal(403), "answers with a web page"),
        (faults.text_instead(200), "answers with a text that is not JSON"),
        (faults.text_instead(403), "answers with a text that is not JSON"),
        (faults.primary_limit(), "GitHub fails at"),
        (faults.ip_allow_list(), "GitHub refuses to check the token (403): "),
        (faults.malformed_json(), "is incomplete: try again later"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_an_answer_that_says_nothing_about_the_token_leaves_the_old_one(
    stack: Stack, github: SimulatedGitHub, fault: faults.Fault, error: str
) -> None:
    """A network's sign-in page is not GitHub, and no App: the good token would be gone."""
    with_secret(stack, github)
    github.add_fault(fault, endpoint="user")

    with pytest.raises(CommandError, match=re.escape(error)):
        replace_token(stack.deployment, "good", check=True)

    assert secret_of(stack) == "dead"


def test_a_token_can_be_replaced_without_asking_github(stack: Stack, github: SimulatedGitHub) -> None:
    """The functions may reach a GitHub Enterprise Server that this machine cannot reach."""
    with_secret(stack, github)

    replace_token(stack.deployment, "unseen", check=False)

    assert secret_of(stack) == "unseen"


@pytest.mark.parametrize("given", ["", "\n", "two words\n", "ghp_\x00\n", "ümlaut\n"])
def test_an_input_that_cannot_be_a_token_is_refused_without_being_shown(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty pipe must not erase the token."""
    monkeypatch.setattr("sys.stdin", io.StringIO(given))

    with pytest.raises(UsageError) as refused:
        read_token()
    assert str(refused.value) == "standard input gave no token: expected one line such as github_pat_..."


@pytest.mark.parametrize("failure", [EOFError(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")])
def test_an_input_that_ends_or_is_not_text_is_refused_in_a_sentence(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl+D at the question, or a picture in the clipboard: a traceback would show the content."""

    def fail(_prompt: str) -> str:
        raise failure

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", fail)
    with pytest.raises(UsageError, match="standard input gave no token"):
        read_token()


def test_a_token_is_read_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Password managers end their output with a line break."""
    monkeypatch.setattr("sys.stdin", io.StringIO("github_pat_1\n"))

    assert read_token() == "github_pat_1"


def test_one_owners_token_is_replaced_and_the_others_stay(
    stack: Stack, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """The token of each owner may come from another person."""
    with_secret(stack, github)

    replace_token(stack.deployment, "good", owner="octo-org", check=True)
    assert capsys.readouterr().out.startswith("GitHub accepts it for octo-org as octo; it expires 2027")
    replace_token(stack.deployment, "better", owner="octo", check=False)

    assert json.loads(secret_of(stack)) == {"*": "dead", "octo-org": "good", "octo": "better"}


def test_the_placeholder_is_not_kept_beside_tokens(stack: Stack, github: SimulatedGitHub) -> None:
    """A stack is deployed with `none` on machines where others can read command lines."""
    with_secret(stack, github)
    stack.deployment.client("secretsmanager").put_secret_value(SecretId="token", SecretString="none")

    replace_token(stack.deployment, "good", owner="octo-org", check=True)
    replace_token(stack.deployment, "all", owner="*", check=False)

    assert json.loads(secret_of(stack)) == {"octo-org": "good", "*": "all"}


def test_one_token_does_not_replace_several_by_mistake(stack: Stack, github: SimulatedGitHub) -> None:
    """The other tokens would be lost."""
    with_secret(stack, github)
    several = '{"octo":"one","acme":"two"}'
    replace_token(stack.deployment, several, check=False)

    with pytest.raises(CommandError, match=r"^The secret has tokens for acme, octo: choose one with --owner\.$"):
        replace_token(stack.deployment, "good", check=True)

    assert secret_of(stack) == several


def test_several_tokens_are_each_checked(stack: Stack, github: SimulatedGitHub) -> None:
    """If GitHub refuses one, nothing changes, and the error contains its owner."""
    with_secret(stack, github)

    with pytest.raises(CommandError, match="refuses this token for acme"):
        replace_token(stack.deployment, '{"octo":"good","acme":"wrong"}', check=True)

    assert secret_of(stack) == "dead"


@pytest.mark.parametrize("given", ["", "octo/docs", "octo docs", "**"])
def test_a_wrong_owner_is_refused(given: str) -> None:
    """Its token would never be used."""
    with pytest.raises(click.BadParameter, match="expected one like octo-org"):
        read_owner(given)


def test_owners_are_the_same_in_upper_and_lower_case() -> None:
    """GitHub does not distinguish them either."""
    assert (read_owner("Octo-Org"), read_owner("*")) == ("octo-org", "*")


def test_a_token_that_never_expires_is_reported_as_such(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one of a GitHub App, which has no login."""
    with SimulatedGitHub(repositories=["octo/docs"]) as github:
        with_secret(stack, github)
        github.add_fault(faults.not_accessible_by_token("integration"), endpoint="user")
        replace_token(stack.deployment, "good", check=True)

    assert capsys.readouterr().out.splitlines()[0] == "GitHub accepts it as a GitHub App; it never expires."


@pytest.mark.parametrize(
    ("given", "readable"), [("good", False), ('{"octo":"good"}', True), ('{"*":"a","octo":"b"}', True)]
)
def test_a_token_for_one_owner_needs_a_single_token_and_the_others(
    stack: Stack, github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch, given: str, *, readable: bool
) -> None:
    """The command must not drop tokens that it cannot read."""
    with_secret(stack, github)
    if not readable:
        refuse_reading(stack, monkeypatch)

    with pytest.raises(CommandError) as refused:
        replace_token(stack.deployment, given, owner="acme", check=False)

    assert str(refused.value) == "--owner needs a single token, and the right to read the secret that has the others."


def test_a_token_for_everybody_can_be_written_without_reading_the_secret(
    stack: Stack, github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right to write is enough if nothing is kept."""
    with_secret(stack, github)
    with monkeypatch.context() as unreadable:
        refuse_reading(stack, unreadable)
        replace_token(stack.deployment, "good", check=False)

    assert secret_of(stack) == "good"


def test_a_secret_that_holds_no_token_is_replaced(stack: Stack, github: SimulatedGitHub) -> None:
    """Half a JSON object, for example."""
    with_secret(stack, github)
    stack.deployment.client("secretsmanager").put_secret_value(SecretId="token", SecretString='{"octo"')

    replace_token(stack.deployment, "good", owner="acme", check=False)

    assert secret_of(stack) == '{"acme":"good"}'


def refuse_reading(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the right to read the secret away."""

    def refuse(**_asked: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetSecretValue")

    monkeypatch.setattr(stack.deployment.client("secretsmanager"), "get_secret_value", refuse)


@pytest.fixture
def machine(stack: Stack, github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine whose local history is the stack."""
    with_secret(stack, github)

    @contextmanager
    def opened(_target: Target) -> Iterator[Deployment]:
        yield stack.deployment

    monkeypatch.setattr(token, "opened", opened)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("GITHUB_TOKEN", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def fixed_place(machine: Path) -> Path:
    """Return the file of the fixed place, where the first token is stored."""
    return machine / "config" / "github-traffic-capture" / ".env"


def typed(monkeypatch: pytest.MonkeyPatch, token: str, *arguments: str) -> int:
    """Type `traffic token`, with a token in a pipe."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    return main(["token", *arguments])


def test_the_first_token_is_stored_in_the_fixed_place(
    machine: Path, github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command finds it there, also one that cron types in another folder. Only the owner can read it."""
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setattr(token, "opened", without_history)

    assert typed(monkeypatch, "good") == 0

    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "GitHub accepts it as octo; it expires 2027-01-31 10:13:04 UTC.",
        f"Stored the token in {fixed_place(machine)}, which only you can read.",
    ]
    assert "good" not in printed.out + printed.err
    assert fixed_place(machine).read_text() == "GITHUB_TOKEN=good\n"
    assert fixed_place(machine).stat().st_mode & 0o777 == 0o600
    monkeypatch.chdir("/")
    assert local_settings().token == "good"


def test_a_token_is_replaced_where_it_is(
    stack: Stack, machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token in the fixed place would be hidden by the old one in the folder. A running `traffic start` uses it."""
    (machine / ".env").write_text("TRAFFIC_FORKS=only\nGITHUB_TOKEN=old\n")

    assert typed(monkeypatch, "good", "--no-check") == 0

    assert (machine / ".env").read_text() == "TRAFFIC_FORKS=only\nGITHUB_TOKEN=good\n"
    assert capsys.readouterr().out == f"Stored the token in {machine}/.env, which only you can read.\n"
    assert not fixed_place(machine).exists()
    assert (secret_of(stack), stack.saves) == ("good", 1)


@pytest.mark.parametrize("value", ["old", ""])
def test_a_token_that_the_environment_would_hide_is_not_stored(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    """`gh auth login` refuses that, too. Nothing is read from standard input."""
    monkeypatch.setenv("GITHUB_TOKEN", value)

    assert typed(monkeypatch, "good") == 2

    assert capsys.readouterr().err == (
        "traffic: error: GITHUB_TOKEN in the environment wins over every file, so the stored token would not be used:"
        " change it there, or type `unset GITHUB_TOKEN` and then `traffic token` again.\n"
    )
    assert not fixed_place(machine).exists()


def test_the_server_of_todays_settings_is_asked(
    stack: Stack, machine: Path, github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last run may have used another server, which does not know the token."""
    stack.deployment = replace(stack.deployment, parameters={"GitHubApiUrl": "http://127.0.0.1:9"})
    monkeypatch.setenv("GITHUB_API_URL", github.url)

    assert typed(monkeypatch, "good") == 0

    assert fixed_place(machine).exists()
    assert [call.path for call in github.calls] == ["/user", "/rate_limit"]


def test_a_refused_token_is_not_stored(
    stack: Stack, machine: Path, github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the file nor in the history's secret."""
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    (machine / ".env").write_text("GITHUB_TOKEN=old\n")

    assert typed(monkeypatch, "wrong") == 1

    assert (machine / ".env").read_text() == "GITHUB_TOKEN=old\n"
    assert secret_of(stack) == "dead"


def test_tokens_of_several_owners_are_stored_one_by_one(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A single token would replace all of them, so it needs an owner."""
    assert typed(monkeypatch, "one", "--no-check", "--owner", "octo") == 0
    assert typed(monkeypatch, "two", "--no-check", "--owner", "*") == 0
    assert typed(monkeypatch, "three", "--no-check") == 1

    assert fixed_place(machine).read_text() == """GITHUB_TOKEN='{"octo":"one","*":"two"}'\n"""
    assert f"{fixed_place(machine)} has tokens for *, octo: choose one with --owner." in capsys.readouterr().err


@contextmanager
def without_history(_target: Target) -> Iterator[Deployment]:
    """Open a machine that has captured nothing yet."""
    raise NothingDeployedError("There is no history yet.")
    yield


def test_the_token_is_checked_by_default(
    stack: Stack, machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the owner of the option."""
    assert machine.is_dir()
    monkeypatch.setattr("sys.stdin", io.StringIO("good\n"))

    assert main(["token", "--aws", "--owner", "Octo"]) == 0

    assert capsys.readouterr().out.startswith("GitHub accepts it for octo as octo")
    assert json.loads(secret_of(stack)) == {"*": "dead", "octo": "good"}
