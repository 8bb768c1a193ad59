"""Promise: docs/deploy.md says truly how long everything is kept, and which roles a deployment assumes."""

import json
import re
from fnmatch import fnmatchcase

from local.synthesis import ASSEMBLY, synthesize
from tests.documents import PAGES, section
from tests.infrastructure.conftest import Template

DAY = 86_400  # seconds


def kept(words: str) -> str:
    """Return how long the documentation says that something is kept."""
    (found,) = re.findall(rf"^\| [^|]*{re.escape(words)}[^|]* \| ([^|]+) \|$", section(PAGE, TITLE), re.MULTILINE)
    return str(found)


PAGE, TITLE = "docs/deploy.md", "What expires when"


def test_only_the_files_of_runs_and_queries_expire_in_the_archive(template: Template) -> None:
    """Somebody who relies on the archive must know what disappears from it."""
    rules = template.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    expiring = [rule for rule in rules if {"ExpirationInDays", "NoncurrentVersionExpiration"} & rule.keys()]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in expiring}
    old = {rule["Prefix"]: rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in expiring}

    assert days.keys() == {"runs/", "queries/"}
    assert kept("`runs/`") == f"{days['runs/']} days, and then {old['runs/']} days as an earlier version"
    assert kept("`queries/`") == f"{days['queries/']} day, and then {old['queries/']} day as an earlier version"
    assert kept("earlier versions of all other objects") == "for good"
    assert kept("`answers/`").startswith("for good")


def test_logs_and_undelivered_events_are_kept_as_long_as_documented(template: Template) -> None:
    """Somebody who looks for an old error must know whether it can still be there."""
    days = {group["Properties"]["RetentionInDays"] for group in template.of_type("AWS::Logs::LogGroup").values()}
    queue = template.only("AWS::SQS::Queue")

    assert {kept("logs of the functions")} == {f"{each} days" for each in days}
    assert kept("dead-letter queue") == f"{queue['MessageRetentionPeriod'] // DAY} days"


def test_the_policy_to_deploy_covers_every_role_that_a_deployment_assumes() -> None:
    """The CDK's command line assumes the roles that the assembly names."""
    files = [path for path in synthesize(ASSEMBLY).glob("*.json") if "template" not in path.name]
    texts = "".join(path.read_text() for path in files)
    roles = {each.replace("${AWS::Partition}", "aws") for each in re.findall(r'"(arn:[^"]+:role/[^"]+)"', texts)}
    (text,) = re.findall(r"```json deployer\n(.*?)```", PAGES[PAGE], re.DOTALL)
    (statement,) = json.loads(text)["Statement"]

    assert {"deploy", "file-publishing"} <= {role.split("/cdk-hnb659fds-")[1].split("-role-")[0] for role in roles}
    assert statement["Action"] == "sts:AssumeRole"
    assert all(fnmatchcase(role, statement["Resource"]) for role in roles)
