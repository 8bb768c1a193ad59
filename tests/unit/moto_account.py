"""An empty AWS account by moto."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws


@contextmanager
def moto_account() -> Iterator[None]:
    """Make an empty account. All accounts share the session and the clients, which take as long as some tests."""
    with mock_aws(), patch.object(boto3, "DEFAULT_SESSION", _session()), patch.object(boto3, "client", client):
        yield


def client(service_name: str, *, region_name: str | None = None, **others: Any) -> Any:
    """Return a client; a shared one if it has no other settings than its region."""
    if others:
        return _session().client(service_name, region_name=region_name, **others)  # type: ignore[call-overload]
    return _client(service_name, region_name or os.environ["AWS_DEFAULT_REGION"])


@cache
def _session() -> boto3.Session:
    return boto3.Session()


@cache
def _client(service: str, region: str) -> Any:
    return _session().client(service, region_name=region)  # type: ignore[call-overload]
