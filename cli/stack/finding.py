"""What a check of `traffic doctor` reports."""

from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Finding:
    """What one check found, and what to do about it."""

    state: Literal["ok", "warn", "fail"]
    subject: str
    found: str
    advice: str = ""


def unchecked(subject: str, exc: ClientError, advice: str) -> Finding:
    """Return the warning for a check that AWS refuses to these credentials."""
    found = f"{exc.operation_name}: {exc.response['Error']['Code']}"
    return Finding("warn", subject, found, f"{advice}: these credentials need that right")
