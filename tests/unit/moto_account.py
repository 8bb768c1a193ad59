"""An empty AWS account by moto."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest.mock import patch

import boto3
from moto import mock_aws


@contextmanager
def moto_account() -> Iterator[None]:
    """Make an empty account for clients of boto3's default session, which all accounts share: it takes long to make."""
    with mock_aws(), patch.object(boto3, "DEFAULT_SESSION", _session()):
        yield


@cache
def _session() -> boto3.Session:
    return boto3.Session()
