"""Read a `.env` file."""

import re
from pathlib import Path

from traffic.settings import SettingError


def parse_dotenv(file: Path) -> dict[str, str]:
    """Read a `.env` file: one `NAME=VALUE` a line.

    `export` before the name, quotes around the value, empty lines and comments (`#` at the start of a line, or after a
    space behind an unquoted value) are understood; nothing is expanded.

    Raises:
        SettingError: A line is none of these.
    """
    values = {}
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingError(f"{file} cannot be read ({type(exc).__name__}); save it as a text file in UTF-8") from exc
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(
            r"""\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*(?:(?P<quote>["'])(?P<quoted>.*)(?P=quote)\s*(?:\#.*)?|(?P<plain>.*))""",
            line,
        )
        if match is None:
            # The line itself may hold a token: it is not shown.
            raise SettingError(f"{file}, line {number}: expected NAME=VALUE; correct the line or start it with #")
        plain = re.split(r"\s#", f" {match['plain'] or ''}", maxsplit=1)[0].strip()
        values[match["name"]] = plain if match["quote"] is None else match["quoted"]
    return values
