"""`traffic token`: replaces the token that the deployed functions use."""

import argparse
import getpass
import os
import sys
from typing import Any

from cli.deployment import Deployment
from cli.github_access import GitHubAccess
from cli.opening import local_settings, opened
from cli.terminal import CommandError, UsageError, say, warn

EXAMPLES = """examples:
  traffic token --aws                     asks for the new token, without showing it
  pass show github | traffic token --aws  or reads it from a pipe

The token is never an argument: other users of a machine can read those.
On this machine the new token is used until GITHUB_TOKEN of the environment or .env changes: put it there too,
for `traffic doctor` and every new history read that.
"""


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """Add `traffic token` to the commands."""
    parser = commands.add_parser(
        "token",
        help="replace the token, read from standard input",
        description="Check a new GitHub token, read from standard input, and put it in the place of the old one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=parents,
    )
    parser.add_argument("--no-check", action="store_true", help="do not ask GitHub whether it takes the token")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Replace the token."""
    settings = None if arguments.aws else local_settings()
    if settings and not settings.token:
        raise CommandError(
            "GITHUB_TOKEN is not set, so that only the demonstration runs here, which needs no token: "
            "put the token into GITHUB_TOKEN or .env, or replace the deployed one with --aws."
        )
    token = read_token()
    with opened(arguments) as deployment:
        replace_token(deployment, token, check=not arguments.no_check)
    if settings and settings.token != token:
        place = "the environment" if os.environ.get("GITHUB_TOKEN", "").strip() else ".env"
        warn(f"It is used until GITHUB_TOKEN of {place} changes. Put it there too: `traffic doctor` reads that one.")
    return 0


def read_token() -> str:
    """Read a token from standard input, unseen where a person types it.

    Raises:
        UsageError: It cannot be a token.
    """
    token = (getpass.getpass("New token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        # The value is not repeated: it may be a token with something beside it.
        raise UsageError("standard input gave no token: expected one line such as github_pat_...")
    return token


def replace_token(deployment: Deployment, token: str, *, check: bool) -> None:
    """Put a new token into the secret that the functions read.

    Raises:
        CommandError: GitHub refuses it; the old one stays.
    """
    if check:
        report = GitHubAccess(deployment.parameters["GitHubApiUrl"], token).token_report()
        if not report.accepted:
            raise CommandError("GitHub refuses this token (401); the old one stays: make a new one, or see --no-check.")
        say(f"GitHub takes it as {report.login or 'a GitHub App'}; it expires {report.expires or 'never'}.")
    deployment.client("secretsmanager").put_secret_value(
        SecretId=deployment.output("GitHubTokenSecret"), SecretString=token
    )
    deployment.save()
    say("Replaced the token.")
