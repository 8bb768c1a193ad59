"""Reads the archive: GitHub's answers and imports, object by object, in the order of their times."""

from cli.stack.deployment import Deployment
from cli.terminal import CommandError
from traffic.contract import ArchivedAnswer
from traffic.record.answer_lines import unpack

KEPT = ("answers/", "imports/")


def archive_keys(deployment: Deployment) -> list[str]:
    """List the archive's objects; the order of their names, folders aside, is that of the captures and imports."""
    pages = deployment.client("s3").get_paginator("list_objects_v2")
    bucket = deployment.output("ArchiveBucket")
    keys = [
        found["Key"]
        for prefix in KEPT
        for page in pages.paginate(Bucket=bucket, Prefix=prefix)
        for found in page.get("Contents", [])
    ]
    return sorted(keys, key=lambda key: key.rpartition("/")[2])


def read_object(deployment: Deployment, key: str) -> list[ArchivedAnswer]:
    """Read the lines of one object; those of an import have `repo_id` and `repo` too.

    Raises:
        CommandError: It is not what Fetch traffic or an import writes.
    """
    content = deployment.client("s3").get_object(Bucket=deployment.output("ArchiveBucket"), Key=key)["Body"].read()
    try:
        return unpack(content)
    except ValueError as exc:
        raise CommandError(
            f"{key} in the archive cannot be read ({exc}): bring its earlier version back, or move it elsewhere."
        ) from exc
