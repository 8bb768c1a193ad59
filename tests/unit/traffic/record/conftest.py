from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.backends import BACKENDS, Backend, backend
from tests.unit.fake_s3 import FakeS3
from traffic.record.archive import Archive


@pytest.fixture
def archive() -> Archive:
    """An empty archive."""
    return Archive("bucket", FakeS3())


@pytest.fixture(params=BACKENDS)
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Empty tables on one of the backends."""
    with backend(request.param, tmp_path) as made:
        yield made
