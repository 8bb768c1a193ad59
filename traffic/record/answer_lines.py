"""An archive object's content: answers as gzipped JSON Lines, for gzip, jq, DuckDB and Athena as they lie. Pure."""

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping

from traffic.contract import ArchivedAnswer

# The headers that are kept: when, under which limit, for which token and version, and what was said about access.
KEPT_HEADERS = (
    "date", "etag", "link", "location", "retry-after", "gh-limited-by", "x-github-sso", "x-github-request-id",
    "x-github-api-version-selected", "x-github-enterprise-version", "deprecation", "sunset",
    "x-accepted-github-permissions", "github-authentication-token-expiration",
    "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset", "x-ratelimit-resource",
)  # fmt: skip


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Choose the headers of an answer that are archived with it."""
    return {name: headers[name] for name in KEPT_HEADERS if name in headers}


def line(answer: Mapping[str, object]) -> bytes:
    """Write one line of an archive object."""
    return (json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def pack(answers: Iterable[Mapping[str, object]]) -> bytes:
    """Write answers, a line each. The same answers give the same bytes: gzip's own time is left out."""
    return gzip.compress(b"".join(map(line, answers)), mtime=0)


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
