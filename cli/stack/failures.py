"""What a failure of AWS, of the local engine or of the record is reported as, and what to do."""

import errno
import os
import shutil
import sqlite3

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from cli.settings.local_settings import local_settings
from local.engine import EngineError, tail
from local.history_folder import HistoryFolder
from local.synthesis import SynthesisError
from traffic.errors import ArchiveBusyError, RecordError, TableBusyError
from traffic.settings import SettingError

ADVICE_AWS = "Check --profile, --region and the rights of these credentials; `traffic doctor --aws` checks more."
ADVICE_LOCAL = "Look into engine.log in the history's folder, then try again: nothing that was stored is lost."

DAMAGED = "Move it elsewhere while no command runs: the next command writes it again from the archive."

ENOUGH_DISK = 10_000_000  # bytes; with less, the engine cannot even save a small history

LOG_IN = "type `aws sso login`, with the same --profile, or renew the credentials in another way"

MISSING: tuple[tuple[tuple[type[BotoCoreError], ...], str, str], ...] = (
    (
        (NoRegionError,),
        "no AWS region is set",
        "add --region, or set one with `aws configure` or in AWS_DEFAULT_REGION",
    ),
    ((NoCredentialsError,), "no AWS credentials are found", "add --profile, or type `aws configure`"),
    ((PartialCredentialsError,), "the AWS credentials are incomplete", "type `aws configure`"),
    ((ProfileNotFound,), "there is no such AWS profile", "`aws configure list-profiles` lists the profiles"),
    ((SSOError, TokenRetrievalError), "the AWS session has ended", LOG_IN),
)
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")  # codes of several services


def explained(error: Exception, *, aws: bool) -> str | None:
    """Return what to report about the failure of a command; None if it is not one of these failures.

    Args:
        error: What the command raised.
        aws: Whether the command works on a stack in AWS.
    """
    if isinstance(error, RecordError):
        return str(error)
    if isinstance(error, EngineError | SynthesisError):
        return _full_disk() or str(error)
    if isinstance(error, sqlite3.DatabaseError):
        return _full_disk() or f"{HistoryFolder(local_settings().history).tables} cannot be read ({error}). {DAMAGED}"
    if not isinstance(error, ClientError | BotoCoreError | ArchiveBusyError | TableBusyError):
        return None
    if not aws:
        return _full_disk() or f"{str(error).rstrip('.')}. {ADVICE_LOCAL}"
    missing = missing_access(error)
    return f"{': '.join(missing)}." if missing else f"{str(error).rstrip('.')}. {ADVICE_AWS}"


def missing_access(error: Exception) -> tuple[str, str] | None:
    """Return what is missing before AWS can be called, and what to do; None if the error has another cause."""
    if isinstance(error, ClientError):
        expired = error.response.get("Error", {}).get("Code") in EXPIRED
        return ("the AWS session has ended", LOG_IN) if expired else None
    return next(((found, advice) for classes, found, advice in MISSING if isinstance(error, classes)), None)


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
