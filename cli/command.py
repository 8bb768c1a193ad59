"""A command: how it is declared, which options it has beside its own, and how its options and arguments are read."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import Any

import click

from cli.terminal import MANNER
from traffic import clock
from traffic.github.tokens import ANYONE
from traffic.settings import BY_KEY, WrongValueError

STACK_NAME = "GitHubTrafficCaptureStack"

# Without `readable`, Click would refuse to replace a file that may be written but not read.
FILE = click.Path(path_type=Path, readable=False)

LONGEST_NAME = 300  # characters: GitHub's owners and names, and the ARNs of executions, are shorter

DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}  # words for days, in days from today


@dataclass(frozen=True)
class Target:
    """The deployment that a command works on.

    Attributes:
        aws: True for the stack in AWS, False for the local engine.
        profile: The profile of the AWS credentials; None for the default one.
        region: The stack's region; None for the default one.
        stack_name: The stack's name.
    """

    aws: bool = False
    profile: str | None = None
    region: str | None = None
    stack_name: str = STACK_NAME

    @property
    def options(self) -> str:
        """The options that lead to the same deployment, to add to a command that a person can type."""
        if not self.aws:
            return ""
        given = {"profile": self.profile, "region": self.region}
        if self.stack_name != STACK_NAME:
            given["stack-name"] = self.stack_name
        return " --aws" + "".join(f" --{name} {quote(value)}" for name, value in given.items() if value)


def target_options() -> list[click.Parameter]:
    """Return the options that choose a deployment. They may be given before or after the command."""
    return [
        click.Option(["--aws"], is_flag=True, help="work on the stack in AWS instead of on this machine"),
        click.Option(["--profile"], metavar="NAME", help="the profile of the AWS credentials"),
        click.Option(["--region"], metavar="REGION", help="the region of the stack"),
        click.Option(["--stack-name"], metavar="NAME", help=f"the stack's name (default: {STACK_NAME})"),
    ]


def target_of(context: click.Context) -> Target:
    """Return the deployment that the options before and after the command choose, and take them from its arguments.

    Raises:
        click.UsageError: The options describe a stack in AWS, but `--aws` is missing.
    """
    before = context.find_root().params
    given = {option.name: context.params.pop(option.name) or before.get(option.name) for option in target_options()}
    target = Target(**{name: value for name, value in given.items() if value})
    if not target.aws and target != Target():
        raise click.UsageError("--profile, --region and --stack-name choose a stack in AWS: add --aws.", context)
    return target


def manner_options() -> list[click.Parameter]:
    """Return the options that choose how a command prints. They may be given before or after the command."""
    return [
        click.Option(["-q", "--quiet"], is_flag=True, help="no progress, no hints: only errors and what was asked for"),
        click.Option(["--no-pager"], is_flag=True, help="show long output without a pager"),
    ]


class CommandWithExamples(click.Command):
    """A command whose help ends with its epilog, line by line as it is written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - Click's signature
        """Write the epilog without wrapping its lines."""
        formatter.write(f"\n{self.epilog}")


class Command(CommandWithExamples):
    """A command of `traffic`. Its function receives the target first, and returns the exit code."""

    def __init__(self, **given: Any) -> None:
        given["params"] = [*given["params"], *target_options(), *manner_options()]
        super().__init__(**given)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. `cli.main` finds its target at the root of the contexts, if it fails."""
        ctx.find_root().obj = ctx.params["target"] = target_of(ctx)
        with _manner_of(ctx):
            return super().invoke(ctx)


@contextmanager
def _manner_of(context: click.Context) -> Iterator[None]:
    """Print as the options before and after the command say, until it ends, and take them from its arguments."""
    before = context.find_root().params
    quiet, no_pager = (context.params.pop(name) or before.get(name, False) for name in ("quiet", "no_pager"))
    MANNER.quiet, MANNER.paged = quiet, not no_pager
    try:
        yield
    finally:
        MANNER.quiet, MANNER.paged = False, True


def command(examples: str) -> Callable[[Callable[..., int]], Command]:
    """Make a command of a function: the first line of its docstring is the description, `examples` end its help."""
    return click.command(cls=Command, epilog=examples)


def read_repository(text: str) -> str:
    """Read what names a repository: a name, `owner/name~ID` or an id. Rows of the first version have bare names.

    Raises:
        click.BadParameter: Nothing can have this name.
    """
    return _read_name(text, "owner/name, owner/name~ID or the id, as in octo/docs")


def read_execution(text: str) -> str:
    """Read the name or the ARN of a run.

    Raises:
        click.BadParameter: No run can have this name.
    """
    return _read_name(text, "the name of a run, or its ARN; `traffic executions` lists them")


def _read_name(text: str, expected: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable() or " " in text:
        shown = repr(text if len(text) <= LONGEST_NAME else f"{text[:20]}...")
        raise click.BadParameter(f"{shown} cannot be a name; expected {expected}")
    return text


def read_day(text: str) -> str:
    """Read a UTC day that has begun, such as `2026-11-20`, `today` or `yesterday`.

    Raises:
        click.BadParameter: It is not a day, or it lies in the future.
    """
    day = _read_day(text, "today or yesterday")
    if clock.start_of(day) > datetime.now(UTC):
        raise click.BadParameter(f"{text!r} lies in the future: GitHub has no traffic for it yet")
    return day


def read_any_day(text: str) -> str:
    """Read a UTC day, past or future, such as `2026-11-20`, `today` or `tomorrow`.

    Raises:
        click.BadParameter: It is not a day.
    """
    return _read_day(text, "today, yesterday or tomorrow")


def _read_day(text: str, words: str) -> str:
    if text.lower() in DAYS:
        return clock.day_of(datetime.now(UTC) + timedelta(days=DAYS[text.lower()]))
    try:
        clock.start_of(text)
    except ValueError as exc:
        raise click.BadParameter(f"{text!r} is not a day; expected one like 2026-11-20, {words}") from exc
    return text


def read_moment(text: str) -> str:
    """Read a time with its offset from UTC, and return it in UTC, such as `2026-11-20T09:00:00Z`.

    Raises:
        click.BadParameter: It is not a time, or it has no offset.
    """
    try:
        return clock.to_text(clock.from_text(text))
    except (ValueError, OverflowError) as exc:
        raise click.BadParameter(
            f"{text!r} is not a time; expected one like 2026-11-20T09:00:00Z, with Z or an offset such as +01:00"
        ) from exc


def read_owner(text: str) -> str:
    """Read an owner of repositories, and return it in lower case; `*` stands for every other owner.

    Raises:
        click.BadParameter: It cannot be an owner, so its token would never be used.
    """
    try:
        return ANYONE if text == ANYONE else BY_KEY["owners"].check(text).lower()
    except WrongValueError:
        raise click.BadParameter(f"{text!r} is not an owner; expected one like octo-org, or '*'") from None


def read_address(text: str) -> str:
    """Read an e-mail address.

    Raises:
        click.BadParameter: It is not an e-mail address.
    """
    if not text or not re.fullmatch(BY_KEY["summary-email"].pattern, text):
        raise click.BadParameter(f"{text!r} is not an e-mail address; expected one like you@example.com")
    return text
