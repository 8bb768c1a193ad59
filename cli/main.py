"""The entry point of `traffic`: reads the arguments, runs the command, reports errors as one line."""

import os
import re
import shlex
import signal
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
from click.shell_completion import get_completion_class, shell_complete

from cli.command import CommandWithExamples, manner_options, target_options
from cli.terminal import (
    FAILED,
    FULL,
    INTERRUPTED,
    MISUSED,
    UNREAD,
    CommandError,
    UsageError,
    discard,
    report_error,
    use_utf_8,
)
from traffic.settings import SettingError, help_text

# By the name of each command: its module in cli/commands, which is imported only if the command is used, and its help.
COMMANDS = {
    "run": ("run", "capture the traffic once, now"),
    "demo": ("demonstrate", "show a demonstration, which needs no token"),
    "plan": ("plan", "show what the next run would do"),
    "executions": ("executions", "list the runs so far, or show one in detail"),
    "cost": ("cost", "show what a finished run cost"),
    "show": ("show", "show the days of a repository"),
    "news": ("news", "list everything that is unusual about a day"),
    "report": ("report", "write everything as one HTML page with charts"),
    "badge": ("badge", "draw a badge of a repository, for a README"),
    "chart": ("chart", "draw a chart of a repository, for a README"),
    "note": ("note", "note what happened on a day, for the report"),
    "export": ("export", "write what is kept, as CSV, JSON, Parquet, SQLite or DuckDB"),
    "sql": ("sql", "answer a question in SQL about everything that is kept"),
    "import": ("import_history", "import the history that another tool kept"),
    "start": ("start", "keep the local system running, with its daily run"),
    "settings": ("settings", "show the settings, or bring them to the stack in AWS"),
    "token": ("token", "store the token, or replace it"),
    "subscribe": ("subscribe", "send the summaries and alarms to an e-mail address"),
    "verify": ("verify", "compare the tables with the archive"),
    "rebuild": ("rebuild", "write what the tables lack of the archive"),
    "doctor": ("doctor", "check token, permissions and set-up, and say what to do"),
}

EPILOG = f"""examples:
  traffic run                       capture the traffic once, on this machine
  traffic show octo/docs            show the days of a repository
  traffic export --format csv       write every day, for a spreadsheet
  traffic executions --aws          list the runs of the stack in AWS

{help_text()}

exit codes: 0 success, 1 the run or the command failed, 2 wrong use, 130 stopped by Ctrl-C,
            141 the program that reads the output has ended
"""
COMPLETION = "_TRAFFIC_COMPLETE"  # a shell's completion script sets it; `docs/commands.md` shows how to install one

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Traffic(CommandWithExamples, click.Group):
    """The group of all commands: it imports only the one that is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's signature
        """Return the names of the commands in the order of `COMMANDS`: the most used ones first."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command.

        Raises:
            click.UsageError: There is no such option; if a command follows, it may be an option of that one.
        """
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as exc:
            name = next((each for each in typed if each in self.commands), None)
            if name is None:
                raise
            context = click.Context(self.load(name), info_name=name, parent=ctx)
            later = _options(context.command)
            if exc.option_name in later:
                place = f"`traffic {name} {exc.option_name}`"
                raise click.UsageError(f"{exc.option_name} must follow its command: {place}.", context) from None
            if set(get_close_matches(exc.option_name, [*later, *_options(self)], n=1)) - set(_options(self)):
                raise click.NoSuchOption(exc.option_name, possibilities=later, ctx=context) from None
            raise

    def load(self, name: str) -> click.Command:
        """Import a command."""
        command: click.Command = import_module(f"cli.commands.{COMMANDS[name][0]}").execute
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name, and import it."""
        try:
            name, known, rest = super().resolve_command(ctx, args)
        except click.NoSuchCommand as exc:
            begun = [each for each in self.commands if each.startswith(exc.command_name)]
            if exc.possibilities or len(begun) != 1:
                raise
            raise click.UsageError(f"{exc.message} Did you mean {begun[0]!r}?", ctx) from None
        return name, known and self.load(known.name or ""), rest


def _options(command: click.Command) -> list[str]:
    return [option for each in command.params for option in each.opts if option.startswith("-")]


traffic = Traffic(
    name="traffic",
    help="Keep the traffic of GitHub repositories for good.",
    epilog=EPILOG,
    commands={name: click.Command(name, short_help=text) for name, (_, text) in COMMANDS.items()},
    params=[*target_options(), *manner_options()],
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
click.version_option(package_name="github-traffic-capture", message="%(prog)s %(version)s")(traffic)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, and return its exit code."""
    signal.signal(signal.SIGTERM, _interrupt)  # a service manager's stop is as graceful as Ctrl-C
    use_utf_8()
    _reach_loopback_directly()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except click.exceptions.Exit as exc:  # after --help or --version
        code = exc.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = UNREAD
    except (click.UsageError, UsageError, SettingError) as exc:
        for line in _usage_errors(exc):
            report_error(line)
        code = MISUSED
    except (CommandError, OSError) as exc:
        report_error(_os_error(exc) if isinstance(exc, OSError) else exc)
        code = FAILED
    discard(sys.stdout, sys.stderr)  # otherwise, Python would report a second time that it cannot write them
    return code


def _run(arguments: Sequence[str] | None) -> int:
    """Run the command, or answer a shell that wants to complete a command line.

    Raises:
        CommandError: The engine, the synthesis of the stack, a read of the record, or a call of AWS failed.
    """
    if instruction := os.environ.get(COMPLETION):
        return _complete(instruction)
    typed = list(sys.argv[1:] if arguments is None else arguments)
    with traffic.make_context("traffic", typed or ["--help"]) as context:
        try:
            code: int = traffic.invoke(context)
        except Exception as exc:
            from cli.stack.failures import explained  # noqa: PLC0415 - it imports the engine, which no help needs

            text = explained(exc, aws=bool(context.obj and context.obj.aws))
            if text is None:
                raise
            raise CommandError(text) from exc
    return code


def _complete(instruction: str) -> int:
    """Print what a shell asks for: its script, or the words that complete a command line.

    Click's scripts for zsh and fish call `traffic`, which is in no folder of PATH: let them call this very program.
    """
    shell, _, asked = instruction.partition("_")
    kind = get_completion_class(shell)
    if asked != "source" or kind is None:
        return shell_complete(traffic, {}, "traffic", COMPLETION, instruction)
    called = shlex.quote(str(Path(sys.argv[0]).absolute()))
    lines = kind(traffic, {}, "traffic", COMPLETION).source().splitlines()
    lines = [
        re.sub(r"(_complete|-t\)) traffic\)", rf"\1 {called})", line) for line in lines if "$+commands" not in line
    ]
    click.echo("\n".join(lines))
    return 0


def _usage_errors(error: Exception) -> list[str]:
    """Write a wrong use as lines: one for each wrong setting, and for Click's errors where to find help."""
    if not isinstance(error, click.UsageError):
        return str(error).splitlines() if isinstance(error, SettingError) else [str(error)]
    message = " ".join(error.format_message().split())
    path = error.ctx.command_path if error.ctx else "traffic"
    return [f"{message}{'' if message.endswith(('.', '?')) else '.'} `{path} --help` shows the usage."]


def _os_error(error: OSError) -> str:
    """Write an error of the operating system, and what helps if a disk is full."""
    path = f"{error.filename}: " if error.filename else ""
    text = f"{path}{error.strerror}" if error.strerror else str(error)
    return f"{text}: free some space, then try again." if error.errno in FULL else text


def _reach_loopback_directly() -> None:
    """Let this process, the engine and its functions call this machine without the proxy that a user has set."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), *LOOPBACK)))


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
