"""Opens what the deployment made for the functions, once a process: the archive and the tables.

GitHub is in github_access.py: Store traffic and Summarize run do not ask it, and start faster without its client.
"""

from functools import cache

import boto3

from lambdas.shared.environment import setting
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
    return Tables(ItemTable(boto3.client("dynamodb"), setting("TRAFFIC_TABLE")), entries())


@cache
def snapshots() -> Snapshots:
    """Return the table of snapshots."""
    return Snapshots(ItemTable(boto3.client("dynamodb"), setting("SNAPSHOTS_TABLE")))


@cache
def entries() -> ItemTable:
    """Return the table of repositories, to be read item by item."""
    return ItemTable(boto3.client("dynamodb"), setting("REPOSITORIES_TABLE"))
