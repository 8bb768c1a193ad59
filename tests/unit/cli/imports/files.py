"""Files as other tools write them, and what was found in them."""

from collections.abc import Mapping
from pathlib import Path

from cli.imports.recognizing import Findings, find
from cli.imports.tool_history import ToolHistory


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files into a folder, and return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def found(folder: Path, files: Mapping[str, str]) -> Findings:
    """Write files into a folder, and find out what they are."""
    return find([write(folder, files)], None, {})


def only(folder: Path, files: Mapping[str, str]) -> ToolHistory:
    """Return the one history in some files."""
    findings = found(folder, files)
    assert not findings.refusals
    (part,) = findings.parts
    return part.history


def numbers(history: ToolHistory) -> dict[str, dict[str, int]]:
    """Return the numbers of each day."""
    return {day: dict(seen.metrics) for day, seen in sorted(history.days.items())}
