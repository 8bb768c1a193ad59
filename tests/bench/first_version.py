"""The first version's loop: one function that fetches one repository after another, and writes every day each time.

It made two calls for each repository, one after the other. It wrote a zero if GitHub named a day in only one of them,
and it wrote all days with DynamoDB's batch writer, also unchanged ones.

Source:
    https://github.com/bpguasch/github-traffic-capture
"""

from collections.abc import Iterable
from typing import Any

import requests

ATTRIBUTES = {"views": ("views-count", "views-uniques"), "clones": ("clones-count", "clones-uniques")}


def capture(github_url: str, names: Iterable[str], table: Any) -> int:
    """Capture repositories, and return the number of items written.

    Args:
        github_url: The address of GitHub's API.
        names: `owner/name` of each.
        table: The table, as a resource of boto3.
    """
    session = requests.Session()
    session.headers.update({"Authorization": "Bearer made-up", "User-Agent": "first-version"})
    written = 0
    for name in names:
        days: dict[str, dict[str, Any]] = {}
        for kind, (count, uniques) in ATTRIBUTES.items():
            answer = session.get(f"{github_url}/repos/{name}/traffic/{kind}", timeout=30)
            answer.raise_for_status()
            for row in answer.json()[kind]:
                zeros = {attribute: 0 for pair in ATTRIBUTES.values() for attribute in pair}
                day = days.setdefault(row["timestamp"], {"repo-name": name, "timestamp": row["timestamp"], **zeros})
                day |= {count: row["count"], uniques: row["uniques"]}
        with table.batch_writer() as batch:
            for day in days.values():
                batch.put_item(Item=day)
        written += len(days)
    return written
