"""The entry point of `traffic`: reads the arguments, runs the command, reports errors as one line."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from cli.commands import chart as pictures
from cli.commands import (
    cost,
    doctor,
    executions,
    export,
    note,
    plan,
    rebuild,
    report,
    run,
    settings,
    show,
    start,
    subscribe,
    token,
    verify,
)
from cli.commands import import_history as imports
from cli.stack.deployment import STACK_NAME
from cli.terminal import FAILED, INTERRUPTED, MISUSED, CommandError, UsageError, report_error
from local.engine import EngineError
from local.synthesis import SynthesisError
from traffic.settings import SettingError

COMMANDS = (
    run,
    plan,
    executions,
    cost,
    show,
    report,
    pictures,
    note,
    export,
    imports,
    start,
    settings,
    token,
    subscribe,
    verify,
    rebuild,
    doctor,
)

EPILOG = """examples:
  traffic run                       capture the traffic once, on this machine
  traffic show octo/docs            the days of a repository
  traffic export --format csv       everything, for a spreadsheet
  traffic executions --aws          the runs of the stack in AWS

settings, from the environment or .env: GITHUB_TOKEN, GITHUB_API_URL, TRAFFIC_HOME, TRAFFIC_OWNERS,
TRAFFIC_REPOSITORIES, TRAFFIC_INCLUDE, TRAFFIC_EXCLUDE, TRAFFIC_TOPICS, TRAFFIC_VISIBILITY, TRAFFIC_FORKS,
TRAFFIC_ARCHIVED; all but the token and TRAFFIC_HOME also from traffic.toml

exit codes: 0 success, 1 the run or the command failed, 2 wrong use, 130 stopped by Ctrl-C
"""

LOOPBACK = ("127.0.0.1", "localhost", "::1")

ADVICE_AWS = "Check --profile, --region and the rights of these credentials; `traffic doctor --aws` tells more."
ADVICE_LOCAL = "Look into engine.log in the history's folder, then try again: nothing that was stored is lost."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, and give its exit code."""
    signal.signal(signal.SIGTERM, _interrupt)  # a service manager's stop is as graceful as Ctrl-C
    _reach_loopback_directly()
    parsed = parser().parse_args(arguments)
    try:
        _check_aws_options(parsed)
        code: int = parsed.execute(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, `head` for instance, has had enough; without this, Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (UsageError, SettingError) as exc:
        # Each setting that is wrong has a line of its own.
        for each in str(exc).splitlines() if isinstance(exc, SettingError) else [exc]:
            report_error(each)
        return MISUSED
    except (CommandError, EngineError, SynthesisError, OSError) as exc:
        report_error(exc)
        return FAILED
    except (ClientError, BotoCoreError) as exc:
        report_error(f"{str(exc).rstrip('.')}. {ADVICE_AWS if parsed.aws else ADVICE_LOCAL}")
        return FAILED
    return code


def parser() -> argparse.ArgumentParser:
    """Describe the whole command line."""
    whole = argparse.ArgumentParser(
        prog="traffic",
        description="Keep the traffic of GitHub repositories for good.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_aws_options()],
    )
    whole.set_defaults(aws=False, profile=None, region=None, stack_name=STACK_NAME)
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands, [_aws_options()])
    return whole


def _aws_options() -> argparse.ArgumentParser:
    """Describe the options that may stand before or after the command.

    Without defaults of their own: those of the command would undo what stands before it.
    """
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = options.add_argument_group("the stack in AWS")
    group.add_argument("--aws", action="store_true", help="work on the stack in AWS instead of on this machine")
    group.add_argument("--profile", metavar="NAME", help="the profile of the AWS credentials")
    group.add_argument("--region", metavar="REGION", help="the region of the stack")
    group.add_argument("--stack-name", metavar="NAME", help=f"the stack's name (default: {STACK_NAME})")
    return options


def _check_aws_options(parsed: argparse.Namespace) -> None:
    if not parsed.aws and (parsed.profile or parsed.region or parsed.stack_name != STACK_NAME):
        raise UsageError("--profile, --region and --stack-name say which stack in AWS: add --aws.")


def _reach_loopback_directly() -> None:
    """Keep the calls to this machine, also those of the engine and its functions, off a proxy that the user has set."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), *LOOPBACK)))


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
