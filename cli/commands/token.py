"""`traffic token`: replaces the token that the deployed functions use."""

import getpass
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import click
from botocore.exceptions import ClientError

from cli.arguments import Target, read_owner
from cli.command import command
from cli.stack.deployment import Deployment
from cli.stack.opening import local_settings, opened
from cli.stack.token_access import github_with, token_report
from cli.terminal import CommandError, UsageError, say, warn
from traffic.errors import GitHubAuthError
from traffic.github.tokens import ANYONE, PLACEHOLDER, tokens_in

EXAMPLES = """examples:
  traffic token --aws                     asks for the new token, without showing it
  pass show github | traffic token --aws  or reads it from a pipe
  traffic token --aws --owner octo-org    the token for one owner's repositories; the others stay

The token is never an argument, because other users of a machine can read those.
On this machine, the new token is used until GITHUB_TOKEN in the environment or .env changes. Put the token there, too:
`traffic doctor` and every new history read it there.
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
    """Check a new GitHub token, read from standard input, and replace the old one."""
    settings = None if target.aws else local_settings()
    if settings and not settings.token:
        raise CommandError(
            "GITHUB_TOKEN is not set, so only the demonstration runs here, which needs no token: "
            "put the token into GITHUB_TOKEN or .env, or replace the deployed one with --aws."
        )
    token = read_token()
    with opened(target) as deployment:
        secret = replace_token(deployment, token, owner=owner, check=not no_check)
    if settings and settings.token != secret:
        place = "the environment" if os.environ.get("GITHUB_TOKEN", "").strip() else ".env"
        warn(f"It is used until GITHUB_TOKEN in {place} changes. Put it there, too: `traffic doctor` reads it there.")
    return 0


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


def replace_token(deployment: Deployment, given: str, *, owner: str | None = None, check: bool) -> str:
    """Put a new token into the secret that the functions read, and return the secret's new content.

    Raises:
        CommandError: GitHub refuses the token, or it is unclear which one it replaces; the old one stays.
    """
    replaced = dict(tokens_in(given))
    if check:
        for whose, token in replaced.items():
            check_token(deployment, token, owner or whose)
    secret = deployment.output("GitHubTokenSecret")
    client = deployment.client("secretsmanager")
    present = held(client, secret)
    if owner is not None:
        if present is None or list(replaced) != [ANYONE]:
            raise CommandError("--owner needs a single token, and the right to read the secret that has the others.")
        replaced = {**present, owner: replaced[ANYONE]}
    elif present is not None and len(present) > 1 and list(replaced) == [ANYONE]:
        raise CommandError(f"The secret has tokens for {', '.join(sorted(present))}: choose one with --owner.")
    client.put_secret_value(SecretId=secret, SecretString=written(replaced))
    deployment.save()
    say("Replaced the token.")
    return written(replaced)


def check_token(deployment: Deployment, token: str, owner: str) -> None:
    """Check that GitHub accepts a token.

    Raises:
        CommandError: It does not.
    """
    report = token_report(github_with(deployment.parameters["GitHubApiUrl"], token))
    which = "" if owner == ANYONE else f" for {owner}"
    if not report.accepted:
        raise CommandError(
            f"GitHub refuses this token{which} (401); the old one stays: make a new one, or see --no-check."
        )
    expires = f"expires {report.expires}" if report.expires else "never expires"
    say(f"GitHub accepts it{which} as {report.login or 'a GitHub App'}; it {expires}.")


def held(client: Any, secret: str) -> dict[str, str] | None:
    """Read the tokens in the secret; None if these credentials may not read it."""
    try:
        present = tokens_in(client.get_secret_value(SecretId=secret)["SecretString"])
    except ClientError:
        return None
    except GitHubAuthError:
        return {}
    return {owner: token for owner, token in present.items() if token != PLACEHOLDER}


def written(tokens: Mapping[str, str]) -> str:
    """Write tokens as the secret stores them: a single token for everybody without JSON."""
    return tokens[ANYONE] if list(tokens) == [ANYONE] else json.dumps(tokens, separators=(",", ":"))
