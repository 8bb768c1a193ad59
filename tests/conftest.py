"""Checks that apply to every test."""

import gc
import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.isolation import empty_home

# `make test` tries a quarter of the examples; `make test-slow` chooses the other profile. A busy machine is no failure.
settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.load_profile("quick")

# Python looks for garbage after every 700 new objects. Beside the modules of boto3 and moto that takes an eighth of the
# tests' time.
gc.set_threshold(50_000, 20, 20)


class FullPools(logging.Handler):
    """Collects urllib3's warnings about connections that it closed because the client's pool was full."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning about a full pool."""
        if "pool is full" in record.msg:
            self.warnings.append(record.getMessage())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker run all tests of a file, which share fixtures, if pytest distributes groups."""
    for item in items:
        if not item.get_closest_marker("side_by_side"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.fixture(scope="session", autouse=True)
def _empty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run every test in a home without settings."""
    with empty_home(tmp_path_factory.mktemp("home")):
        yield


@pytest.fixture(autouse=True)
def full_pools() -> Iterator[list[str]]:
    """Fail a test if more threads use a client than it keeps connections: each call then opens a new connection."""
    handler, logger = FullPools(), logging.getLogger("urllib3.connectionpool")
    logger.addHandler(handler)
    yield handler.warnings
    logger.removeHandler(handler)
    assert handler.warnings == []
