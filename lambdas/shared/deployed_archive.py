"""Opens the archive that the deployment made for the functions, once a process.

The tables are in deployed_tables.py, and GitHub in github_access.py: a function starts faster without what it does not
use.
"""

from functools import cache

import boto3

from lambdas.shared.environment import setting
from traffic.record.archive import Archive


@cache
def archive() -> Archive:
    """Return the archive bucket."""
    return Archive(setting("ARCHIVE_BUCKET"), boto3.client("s3"))
