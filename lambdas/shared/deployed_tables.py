"""Opens the tables that the deployment made for the functions, once a process."""

from functools import cache

import boto3

from lambdas.shared.environment import setting
from traffic.record.item_table import ItemTable
from traffic.record.tables import Snapshots, Tables


@cache
def tables() -> Tables:
    """Return the tables of days and of repositories."""
    dynamodb = boto3.client("dynamodb")
    return Tables(ItemTable(dynamodb, setting("TRAFFIC_TABLE")), ItemTable(dynamodb, setting("REPOSITORIES_TABLE")))


@cache
def snapshots() -> Snapshots:
    """Return the table of snapshots."""
    return Snapshots(ItemTable(boto3.client("dynamodb"), setting("SNAPSHOTS_TABLE")))
