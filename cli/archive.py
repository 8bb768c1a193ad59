"""Reads the archive: GitHub's answers, object by object, in the order of the captures."""

from cli.deployment import Deployment
from cli.terminal import CommandError
from lambdas.shared.answer_lines import unpack
from lambdas.shared.contract import ArchivedAnswer

ANSWERS = "answers/"


def archive_keys(deployment: Deployment) -> list[str]:
    """List the archive's objects; the names' order, which is S3's, is that of the captures."""
    pages = deployment.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=deployment.output("ArchiveBucket"), Prefix=ANSWERS)
    return sorted(found["Key"] for page in listed for found in page.get("Contents", []))


def read_object(deployment: Deployment, key: str) -> list[ArchivedAnswer]:
    """Read the answers of one object.

    Raises:
        CommandError: It is not what Fetch traffic writes.
    """
    content = deployment.client("s3").get_object(Bucket=deployment.output("ArchiveBucket"), Key=key)["Body"].read()
    try:
        return unpack(content)
    except ValueError as exc:
        raise CommandError(
            f"{key} in the archive cannot be read ({exc}): bring its earlier version back, or move it elsewhere."
        ) from exc
