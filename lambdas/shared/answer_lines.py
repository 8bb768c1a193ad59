"""An archive object's content: answers as gzipped JSON Lines, for gzip, jq, DuckDB and Athena as they lie. Pure."""

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping

from lambdas.shared.contract import ArchivedAnswer


def pack(answers: Iterable[Mapping[str, object]]) -> bytes:
    """Write answers, a line each. The same answers give the same bytes: gzip's own time is left out."""
    lines = (json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n" for answer in answers)
    return gzip.compress("".join(lines).encode(), mtime=0)


def unpack(content: bytes) -> list[ArchivedAnswer]:
    """Read what `pack` wrote.

    Raises:
        ValueError: It is not that, or not whole.
    """
    try:
        text = gzip.decompress(content).decode()
    except (OSError, EOFError, zlib.error) as exc:
        raise ValueError(f"not a whole gzip file: {exc}") from exc
    # Not splitlines: it would also cut at U+0085, U+2028 and U+2029, which JSON leaves as they are within a title.
    return [json.loads(line) for line in text.split("\n") if line]
