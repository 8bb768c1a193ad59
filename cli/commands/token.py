"""`traffic token`: stores the token of this machine, or replaces the one that the functions in AWS use."""

import getpass
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError

from cli.command import Target, command, read_owner
from cli.settings.local_settings import DOTENV, TOKEN, LocalSettings, local_settings, settings_folder
from cli.settings.token_file import store_token
from cli.stack.deployment import Deployment, NothingDeployedError, opened
from cli.stack.token_access import github_with, token_report
from cli.terminal import CommandError, UsageError, inform
from traffic.errors import GitHubAuthError
from traffic.github.tokens import ANYONE, PLACEHOLDER, tokens_in

EXAMPLES = """examples:
  traffic token                           asks for the token of this machine, without showing it
  pass show github | traffic token        or reads it from a pipe
  traffic token --aws                     replaces the token of the stack in AWS
  traffic token --aws --owner octo-org    the token for one owner's repositories; the others stay

The token is never an argument, because other users of a machine can read those.
On this machine it is stored in .env of the folder that `traffic settings --path` shows, where every command finds it,
wherever it is typed. If .env of the current folder has a token already, the new one replaces that.
"""


@command(EXAMPLES)
@click.option("--no-check", is_flag=True, help="do not check with GitHub whether it accepts the token")
@click.option(
    "--owner",
    type=read_owner,
    metavar="OWNER",
    help="the organization or user whose repositories it is for; * for all owners without a token of their own",
)
def execute(target: Target, owner: str | None, *, no_check: bool) -> int:
    """Store a GitHub token, typed without showing it or read from a pipe, or replace the old one."""
    if not target.aws:
        keep_token(target, local_settings(), owner=owner, check=not no_check)
        return 0
    token = read_token()
    with opened(target) as deployment:
        replace_token(deployment, token, owner=owner, check=not no_check)
    return 0


def keep_token(target: Target, settings: LocalSettings, *, owner: str | None, check: bool) -> None:
    """Read a token, and store it for this machine: in the file that has one, otherwise in the fixed place.

    Raises:
        UsageError: The environment has a value, which would hide the token.
        CommandError: GitHub refuses the token, or it is unclear which one it replaces; the old one stays.
    """
    source = settings.sources[TOKEN]
    if source == "environment":
        raise UsageError(
            f"{TOKEN} in the environment wins over every file, so the stored token would not be used: change it there,"
            f" or type `unset {TOKEN}` and then `traffic token` again."
        )
    file = (settings_folder(os.environ) / DOTENV if source == "default" else Path(source)).absolute()
    present = without_placeholder(tokens_in(settings.token)) if settings.token else {}
    given = dict(tokens_in(read_token()))
    if check:
        check_tokens(settings.api_url, given, owner)
    token = written(merged(present, given, owner, holder=str(file)))
    store_token(file, token)
    inform(f"Stored the token in {file}, which only you can read.")
    with suppress(NothingDeployedError), opened(target) as deployment:  # a `traffic start` that runs uses it at once
        deployment.client("secretsmanager").put_secret_value(
            SecretId=deployment.output("GitHubTokenSecret"), SecretString=token
        )
        deployment.save()


def read_token() -> str:
    """Read a token, or several as a JSON object, from standard input; do not show what a person types.

    Raises:
        UsageError: The input cannot be a token.
    """
    try:
        given = getpass.getpass("New token: ") if sys.stdin.isatty() else sys.stdin.readline()
        tokens = tokens_in(given.strip())
    except (EOFError, UnicodeDecodeError, GitHubAuthError) as exc:
        # The value is not repeated: it may contain a token.
        raise UsageError("standard input gave no token: expected one line such as github_pat_...") from exc
    return written(tokens)


def replace_token(deployment: Deployment, given: str, *, owner: str | None = None, check: bool) -> None:
    """Put a new token into the secret that the functions in AWS read.

    Raises:
        CommandError: GitHub refuses the token, or it is unclear which one it replaces; the old one stays.
    """
    replaced = dict(tokens_in(given))
    if check:
        check_tokens(deployment.parameters["GitHubApiUrl"], replaced, owner)
    secret = deployment.output("GitHubTokenSecret")
    client = deployment.client("secretsmanager")
    tokens = merged(held(client, secret), replaced, owner, holder="The secret")
    client.put_secret_value(SecretId=secret, SecretString=written(tokens))
    deployment.save()
    inform("Replaced the token.")


def merged(
    present: Mapping[str, str] | None, given: Mapping[str, str], owner: str | None, *, holder: str
) -> Mapping[str, str]:
    """Return the tokens to store.

    Args:
        present: The tokens that are stored now; None if they cannot be read.
        given: The new one, or new ones by owner.
        owner: The owner that `--owner` names.
        holder: What has the present tokens, for people.

    Raises:
        CommandError: It is unclear which token the new one replaces.
    """
    if owner is not None:
        if present is None or list(given) != [ANYONE]:
            raise CommandError("--owner needs a single token, and the right to read the secret that has the others.")
        return {**present, owner: given[ANYONE]}
    if present is not None and len(present) > 1 and list(given) == [ANYONE]:
        raise CommandError(f"{holder} has tokens for {', '.join(sorted(present))}: choose one with --owner.")
    return given


def check_tokens(api_url: str, tokens: Mapping[str, str], owner: str | None) -> None:
    """Check that GitHub accepts each token.

    Raises:
        CommandError: It refuses one, or GitHub's API does not answer.
    """
    for whose, token in tokens.items():
        report = token_report(github_with(api_url, token))
        which = "" if (owner or whose) == ANYONE else f" for {owner or whose}"
        if not report.accepted:
            raise CommandError(
                f"GitHub refuses this token{which} (401), so it was not stored: make a new one, or see --no-check."
            )
        expires = f"expires {report.expires}" if report.expires else "never expires"
        inform(f"GitHub accepts it{which} as {report.login or 'a GitHub App'}; it {expires}.")


def held(client: Any, secret: str) -> dict[str, str] | None:
    """Read the tokens in the secret; None if these credentials may not read it."""
    try:
        return without_placeholder(tokens_in(client.get_secret_value(SecretId=secret)["SecretString"]))
    except ClientError:
        return None
    except GitHubAuthError:
        return {}


def without_placeholder(tokens: Mapping[str, str]) -> dict[str, str]:
    """Leave out the placeholder with which a stack can be deployed."""
    return {owner: token for owner, token in tokens.items() if token != PLACEHOLDER}


def written(tokens: Mapping[str, str]) -> str:
    """Write tokens as the secret stores them: a single token for everybody without JSON."""
    return tokens[ANYONE] if list(tokens) == [ANYONE] else json.dumps(tokens, separators=(",", ":"))
