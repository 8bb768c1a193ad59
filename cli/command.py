"""How a command is declared: its options for AWS, its examples, and what its failures are reported as."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli.arguments import CommandWithExamples, manner_options, target_of, target_options
from cli.stack.aws_access import missing_access
from cli.stack.opening import local_settings
from cli.terminal import MANNER, CommandError
from local.engine import EngineError, tail
from local.history_folder import HistoryFolder
from local.synthesis import SynthesisError
from traffic.errors import ArchiveBusyError, RecordError, TableBusyError
from traffic.settings import SettingError

ADVICE_AWS = "Check --profile, --region and the rights of these credentials; `traffic doctor --aws` checks more."
ENOUGH_DISK = 10_000_000  # bytes; with less, the engine cannot even save a small history

ADVICE_LOCAL = "Look into engine.log in the history's folder, then try again: nothing that was stored is lost."


class Command(CommandWithExamples):
    """A command of `traffic`. Its function receives the target first, and returns the exit code."""

    def __init__(self, **given: Any) -> None:
        given["params"] = [*given["params"], *target_options(), *manner_options()]
        super().__init__(**given)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            CommandError: The engine, the synthesis of the stack, a read of the record, or a call of AWS failed.
        """
        target = ctx.params["target"] = target_of(ctx)
        try:
            with _manner_of(ctx):
                return super().invoke(ctx)
        except RecordError as exc:
            raise CommandError(str(exc)) from exc
        except (EngineError, SynthesisError) as exc:
            raise CommandError(_full_disk() or str(exc)) from exc
        except (ClientError, BotoCoreError, ArchiveBusyError, TableBusyError) as exc:
            missing = missing_access(exc) if target.aws else None
            if missing:
                raise CommandError(f"{': '.join(missing)}.") from exc
            full = None if target.aws else _full_disk()
            advice = ADVICE_AWS if target.aws else ADVICE_LOCAL
            raise CommandError(full or f"{str(exc).rstrip('.')}. {advice}") from exc


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


def _full_disk() -> str | None:
    """Return what to do if the disk of the history is full; None if it is not.

    On a full disk the engine fails in many ways. Its log may be cut off, and it removes what it could not complete: so
    look at both, the disk and the log.
    """
    try:
        history = local_settings().history
        free = shutil.disk_usage(history).free
        log = HistoryFolder(history).log
        lately = tail(log) if log.exists() else ""
    except (OSError, SettingError):
        return None
    if free > ENOUGH_DISK and os.strerror(errno.ENOSPC) not in lately:
        return None
    full = f"The disk of {history} is full ({free / 1e6:,.1f} MB left)"
    return f"{full}: free some space, then try again. Nothing that was stored is lost."


def command(examples: str) -> Callable[[Callable[..., int]], Command]:
    """Make a command of a function: the first line of its docstring is the description, `examples` end its help."""
    return click.command(cls=Command, epilog=examples)
