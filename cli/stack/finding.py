"""What a check of `traffic doctor` reports."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What one check found, and what to do about it."""

    state: Literal["ok", "warn", "fail"]
    subject: str
    found: str
    advice: str = ""
