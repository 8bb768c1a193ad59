"""Stores the GitHub token in a `.env` file that only its owner can read."""

import os
import re
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from cli.settings.local_settings import TOKEN
from cli.terminal import CommandError


def store_token(file: Path, token: str) -> None:
    """Write a token into a `.env` file, which is made if needed. Its other lines stay, and its mode becomes 600.

    Raises:
        CommandError: The file cannot be written; it is unchanged.
    """
    file = file.resolve()  # a link to a file elsewhere stays a link
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = file.read_bytes().decode("utf-8-sig") if file.exists() else ""
        try:
            with open(draft, "w", encoding="utf-8", newline="", opener=_for_owner) as written:
                written.write(_with_token(text, token))
                written.flush()
                os.fsync(written.fileno())
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as exc:
        raise CommandError(f"The token cannot be stored in {file} ({exc.strerror}): make this file writable.") from exc


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _with_token(text: str, token: str) -> str:
    """Return the text of a `.env` file with this token in the place of the old one, or at its end."""
    line = f"{TOKEN}={token if re.fullmatch(r'[A-Za-z0-9_]+', token) else _quoted(token)}\n"
    parts: list[str] = []
    for key, _value, original, _error in parse_stream(StringIO(text, newline="")):
        if key != TOKEN:
            parts.append(original.string)
        elif line not in parts:
            parts += [original.string[: -len(original.string.lstrip())], line]
    if line not in parts:
        parts += ["\n" if text and not text.endswith(("\n", "\r")) else "", line]
    return "".join(parts)


def _quoted(token: str) -> str:
    r"""Quote a token: several are JSON, with quotation marks, which shells and python-dotenv read literally in `'`."""
    escaped = token.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'"
