"""Brings a history into the record: an object of the archive first, then Store traffic's own merge."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from cli.commands.rebuild import store
from cli.commands.show import days_of
from cli.imports.tool_history import History
from cli.stack.deployment import Deployment
from cli.stack.repositories import find_repository
from cli.stack.token_access import identity
from cli.terminal import CommandError
from traffic.contract import ImportedHistory, import_key
from traffic.github.client import GitHub
from traffic.record.answer_lines import pack
from traffic.record.items import day_of_item
from traffic.record.merge import Day, merge_days
from traffic.record.snapshot import Snapshot


@dataclass(frozen=True)
class Target:
    """The repository that a history is of.

    Attributes:
        repo_id: GitHub's numeric id.
        name: `owner/name`.
        repo_name: The partition key of its rows.
        new: Whether the record does not know it yet.
    """

    repo_id: int
    name: str
    repo_name: str
    new: bool


@dataclass(frozen=True)
class Plan:
    """What an import would change.

    Attributes:
        target: The repository.
        history: What the other tool kept of it.
        added: Days that the record has no row of.
        raised: Cells that are unknown so far, or lower.
        higher: Cells of which the record knows a higher value, which stays.
        same: Cells that agree.
    """

    target: Target
    history: History
    added: int
    raised: int
    higher: int
    same: int


def identify(deployment: Deployment, name: str, github: GitHub | None) -> Target:
    """Find a repository's id: in the record, else at GitHub.

    Args:
        deployment: Where the record is.
        name: `owner/name`, now or formerly, or `owner/name~ID`.
        github: Asks GitHub; None without a token.

    Raises:
        CommandError: Nobody knows it, or several bore the name.
    """
    found = find_repository(deployment, name)
    if found and found.others:
        keys = ", ".join(f"{name}~{id_}" for id_ in (found.id, *found.others))
        raise CommandError(f"Several repositories bore the name {name}: say which, {keys} (`traffic show` shows each).")
    if found and found.id:
        return Target(int(found.id), name.rsplit("~", 1)[0], found.repo_name, new=False)
    if github is None:
        raise CommandError(
            f"{name} is not in the record yet, so its id is unknown: set GITHUB_TOKEN for GitHub to tell it, or "
            "capture the repository once with `traffic run`."
        )
    repo_id, full_name = identity(github, name)
    if find_repository(deployment, str(repo_id)):
        raise CommandError(f"{name} is repository {repo_id}, which the record knows: give its name there.")
    return Target(repo_id, full_name, full_name, new=True)


def plan(deployment: Deployment, target: Target, history: History) -> Plan:
    """Tell what an import would change, and change nothing.

    Raises:
        CommandError: Rows belong to another repository.
    """
    read = TypeDeserializer().deserialize
    rows = ({name: read(value) for name, value in row.items()} for row in days_of(deployment, target.repo_name))
    kept = {row["timestamp"][:10]: row for row in rows}
    added = raised = higher = same = 0
    for day, seen in history.days.items():
        if kept.get(day, {}).get("repo-id", target.repo_id) != target.repo_id:
            raise CommandError(f"{target.repo_name} {day} belongs to another repository: `traffic verify` shows more.")
        before = day_of_item(kept.get(day, {}))
        after = merge_days(before, Day(seen.metrics))
        added += day not in kept
        for metric, value in seen.metrics.items():
            raised += after.metrics[metric] != before.metrics.get(metric)
            higher += before.metrics.get(metric, 0) > value
            same += before.metrics.get(metric) == value
    return Plan(target, history, added, raised, higher, same)


def bring(deployment: Deployment, planned: Plan) -> None:
    """Archive a history, then have Store traffic merge it; twice changes nothing.

    Raises:
        CommandError: It could not be stored. It is in the archive, and `traffic rebuild` stores it.
    """
    target, history = planned.target, planned.history
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line: ImportedHistory = {
        "source": history.source,
        "files": history.files,
        "repo_id": target.repo_id,
        "repo": target.name,
        "imported_at": now,
        "new": target.new,
        "days": {day: dict(seen.metrics) for day, seen in sorted(history.days.items())},
        "snapshots": _snapshots(history.snapshots),
    }
    content = pack([line])
    key = import_key(now, hashlib.sha256(content).hexdigest(), new=target.new)
    try:
        deployment.client("s3").put_object(
            Bucket=deployment.output("ArchiveBucket"),
            Key=key,
            Body=content,
            ContentType="application/gzip",
            IfNoneMatch="*",
        )
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "PreconditionFailed":  # the key names this very content
            raise
    store(deployment, key)


def _snapshots(snapshots: Mapping[str, Snapshot]) -> dict[str, dict[str, object]]:
    return {
        day: {endpoint: {"said": dict(kept.said), "since": kept.since} for endpoint, kept in said.items()}
        for day, said in sorted(snapshots.items())
    }
