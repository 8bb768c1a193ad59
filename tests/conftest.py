"""What holds in every test."""

import logging
from collections.abc import Iterator

import pytest


class FullPools(logging.Handler):
    """Notes each connection that was thrown away because its client's pool had no room for it."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note a warning of urllib3's."""
        if "pool is full" in record.msg:
            self.warnings.append(record.getMessage())


@pytest.fixture(autouse=True)
def full_pools() -> Iterator[list[str]]:
    """Fail the test in which more threads use a client than it keeps connections: each call then connects anew."""
    handler, logger = FullPools(), logging.getLogger("urllib3.connectionpool")
    logger.addHandler(handler)
    yield handler.warnings
    logger.removeHandler(handler)
    assert handler.warnings == []
