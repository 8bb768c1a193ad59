"""What keeps the unit tests fast."""

from collections.abc import Iterator
from functools import cache

import pytest
from botocore.loaders import JSONFileLoader


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Parse botocore's descriptions of AWS once.

    moto gives each test a session of its own, and each session parses them anew: a third of the time of a test that
    has an account.
    """
    read = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _self, file_path: read(file_path))
        yield
