"""Archives the pages of the listing as GitHub sent them: stars, forks and so on are kept nowhere else."""

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from traffic.contract import ListedPage
from traffic.github.answers import Answer
from traffic.record.archive import Archive, kept_headers, line

GZIP = 31  # zlib's number for the gzip format with the largest window, 32 KB; its header has no time
MOST_PACKED = 8 * 1024 * 1024  # bytes; about 20,000 repositories. A larger listing becomes several objects

# This token reads a private repository for some time, so an archive must not keep it.
# Source: https://docs.github.com/en/rest/repos/repos#list-repositories-for-the-authenticated-user (the example)
CLONE_TOKEN = re.compile(r'("temp_clone_token"\s*:\s*")[^"]+')

# Takes the owner whose token asked, the address, the time of the answer (2026-11-20T09:00:00Z), the answer.
KeepPage = Callable[[str, str, str, Answer], None]


@contextmanager
def page_archive(archive: Archive, run_id: str) -> Iterator[KeepPage]:
    """Archive every page that is passed to the yielded function; also if the caller fails after some pages.

    Raises:
        ArchiveBusyError: S3 is throttled, or failed or could not be reached in passing.
    """
    pages = _Pages(archive, run_id)
    try:
        yield pages.keep
    finally:
        pages.write()


class _Pages:
    """Compresses each page at once: the pages of 100,000 repositories have 600 MB, and 40 MB compressed."""

    def __init__(self, archive: Archive, run_id: str) -> None:
        self._archive = archive
        self._run_id = run_id
        self._begin()

    def _begin(self) -> None:
        self._compressor = zlib.compressobj(wbits=GZIP)
        self._packed = bytearray()
        self._first = ""  # the time of the first page

    def keep(self, owner: str, url: str, captured_at: str, answer: Answer) -> None:
        """Compress a page, and write the object once it is large."""
        page: ListedPage = {
            "run": self._run_id,
            "owner": owner,
            "url": url,
            "captured_at": captured_at,
            "status": answer.status or 0,
            "headers": kept_headers(answer.headers),
            # GitHub's JSON is UTF-8, so everything except the token stays unchanged.
            "body": CLONE_TOKEN.sub(r"\1", answer.body.decode("utf-8", "replace")),
        }
        self._first = self._first or captured_at
        self._packed += self._compressor.compress(line(page))
        if len(self._packed) >= MOST_PACKED:
            self.write()

    def write(self) -> None:
        """Write the pages since the last object, if there are any."""
        first, content = self._first, bytes(self._packed + self._compressor.flush())
        self._begin()  # before the write: if it fails, a part of the pages must not be written again at the end
        if first:
            self._archive.put_listing(self._run_id, first, content)
