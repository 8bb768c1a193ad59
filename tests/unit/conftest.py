"""What keeps the unit tests fast."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Find and parse botocore's descriptions of AWS once.

    moto makes a session for each test, and each session finds and parses them in 400 folders: half of the time of a
    test that has an account.
    """
    found: dict[object, object] = {}
    make = Loader.__init__

    def make_with_what_was_found(loader: Loader, *arguments: Any, **options: Any) -> None:
        make(loader, *arguments, **options)
        vars(loader)["_cache"] = found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loader, "__init__", make_with_what_was_found)
        yield
