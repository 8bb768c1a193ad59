"""How a command is declared: its options for AWS, its examples, and what its failures are reported as."""

from collections.abc import Callable
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli.arguments import CommandWithExamples, target_of, target_options
from cli.stack.aws_access import missing_access
from cli.terminal import CommandError
from local.engine import EngineError
from local.synthesis import SynthesisError
from traffic.errors import ArchiveBusyError, RecordError, TableBusyError

ADVICE_AWS = "Check --profile, --region and the rights of these credentials; `traffic doctor --aws` checks more."
ADVICE_LOCAL = "Look into engine.log in the history's folder, then try again: nothing that was stored is lost."


class Command(CommandWithExamples):
    """A command of `traffic`. Its function receives the target first, and returns the exit code."""

    def __init__(self, **given: Any) -> None:
        given["params"] = [*given["params"], *target_options()]
        super().__init__(**given)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            CommandError: The engine, the synthesis of the stack, a read of the record, or a call of AWS failed.
        """
        target = ctx.params["target"] = target_of(ctx)
        try:
            return super().invoke(ctx)
        except (EngineError, SynthesisError, RecordError) as exc:
            raise CommandError(str(exc)) from exc
        except (ClientError, BotoCoreError, ArchiveBusyError, TableBusyError) as exc:
            missing = missing_access(exc) if target.aws else None
            if missing:
                raise CommandError(f"{': '.join(missing)}.") from exc
            raise CommandError(f"{str(exc).rstrip('.')}. {ADVICE_AWS if target.aws else ADVICE_LOCAL}") from exc


def command(examples: str) -> Callable[[Callable[..., int]], Command]:
    """Make a command of a function: the first line of its docstring is the description, `examples` end its help."""
    return click.command(cls=Command, epilog=examples)
