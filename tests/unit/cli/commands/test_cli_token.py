"""`traffic token`: which token it replaces, and which inputs it refuses."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace

import click
import pytest

from cli.arguments import read_owner
from cli.commands.token import read_token, replace_token
from cli.stack.finding import Finding
from cli.terminal import CommandError, UsageError
from simulated_github import SimulatedGitHub
from tests.unit.cli_stack import Stack, fresh_stack

stack = pytest.fixture(fresh_stack)


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """A GitHub that accepts one token."""
    with SimulatedGitHub(repositories=["octo/docs"], token="good", token_expires="2027-01-31 10:13:04 UTC") as github:
        yield github


def states(findings: Iterator[Finding]) -> dict[str, str]:
    """Return the state of each check."""
    return {finding.subject: finding.state for finding in findings}


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
    assert secret_of(stack) == "good"
    assert "2027-01-31" in output.out
    assert "good" not in output.out + output.err


def test_a_refused_token_leaves_the_old_one(stack: Stack, github: SimulatedGitHub) -> None:
    """A wrong paste must not end the captures."""
    with_secret(stack, github)

    with pytest.raises(CommandError, match="401") as refused:
        replace_token(stack.deployment, "wrong", check=True)

    assert secret_of(stack) == "dead"
    assert "wrong" not in str(refused.value)


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

    with pytest.raises(UsageError, match="standard input gave no token"):
        read_token()


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


def test_one_owners_token_is_replaced_and_the_others_stay(stack: Stack, github: SimulatedGitHub) -> None:
    """The token of each owner may come from another person."""
    with_secret(stack, github)

    replace_token(stack.deployment, "good", owner="octo-org", check=True)
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

    with pytest.raises(CommandError, match="tokens for acme, octo: choose one with --owner"):
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
