"""What the deployment gave the functions, opened once for each process: the archive, the tables, GitHub."""

from functools import cache, partial

import boto3

from lambdas.shared.settings import api_url, setting
from lambdas.shared.token import read_token
from traffic.github.client import GitHub
from traffic.record.archive import Archive
from traffic.record.item_table import ItemTable
from traffic.record.tables import Snapshots, Tables


@cache
def archive() -> Archive:
    """Return the archive bucket."""
    return Archive(setting("ARCHIVE_BUCKET"), boto3.client("s3"))


@cache
def tables() -> Tables:
    """Return the tables of days and of repositories."""
    return Tables(boto3.client("dynamodb"), setting("TRAFFIC_TABLE"), setting("REPOSITORIES_TABLE"))


@cache
def snapshots() -> Snapshots:
    """Return the table of snapshots."""
    return Snapshots(boto3.client("dynamodb"), setting("SNAPSHOTS_TABLE"))


@cache
def entries() -> ItemTable:
    """Return the table of repositories, to be read item by item."""
    return ItemTable(boto3.client("dynamodb"), setting("REPOSITORIES_TABLE"))


@cache
def github(owner: str) -> GitHub:
    """Return GitHub's API, called with the token for an owner's repositories."""
    return GitHub(api_url(), partial(read_token, owner))
