"""Promise: only a change of the code changes the template.

Only this file synthesizes while tests run: loading the CDK takes longer than most files need.

`cdk synth` has nothing to say about feature flags, and cdk.json changes nothing in the template.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.command import STACK_NAME
from local.engine import ACCOUNT, REGION
from stacks import bundling
from tests.infrastructure.conftest import Template
from tests.infrastructure.house import ROOT

EXPRESSION = ["github-traffic-archive-", {"Ref": "AWS::AccountId"}, "-", {"Ref": "AWS::Region"}]


@pytest.fixture
def _same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Synthesize for the account and the region of the template that the set-up synthesized."""
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", ACCOUNT)
    monkeypatch.setenv("CDK_DEFAULT_REGION", REGION)


def synthesized(outdir: Path) -> Mapping[str, Any]:
    """Synthesize once more."""
    from stacks.traffic_stack import traffic_app  # noqa: PLC0415 - every process of pytest imports this file

    template: Mapping[str, Any] = (
        traffic_app(bundling=False, outdir=str(outdir)).synth().get_stack_by_name(STACK_NAME).template
    )
    return template


@pytest.mark.usefixtures("_same_place")
def test_two_syntheses_give_the_same_template(template: Template, tmp_path: Path) -> None:
    """`cdk diff` must show only what changed."""
    assert json.dumps(synthesized(tmp_path)) == json.dumps(template.body)


@pytest.mark.usefixtures("_same_place")
def test_stray_files_do_not_change_the_template(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporary or compiled files must not deploy four functions again; a change of code must."""
    root = tmp_path / "root"
    for package in bundling.PACKAGES:
        shutil.copytree(bundling.ROOT / package, root / package)
    monkeypatch.setattr(bundling, "ROOT", root)

    for package in bundling.PACKAGES:
        (root / package / "__pycache__").mkdir(exist_ok=True)
        (root / package / "__pycache__" / "stray.cpython-313.pyc").write_text("compiled")
        (root / package / "notes.txt").write_text("stray")
    (root / "cli").mkdir()
    (root / "cli" / "main.py").write_text("no function reads it")
    assert synthesized(tmp_path / "stray") == template.body

    hashes = {json.dumps(template.body)}
    for changed in ("lambdas/shared/embedded_metrics.py", "traffic/contract.py"):
        with (root / changed).open("a") as file:
            file.write("#")
        hashes.add(json.dumps(synthesized(tmp_path / changed)))
    assert len(hashes) == 3


def test_without_an_account_the_archives_name_contains_that_of_the_deployment(tmp_path: Path) -> None:
    """The template then deploys anywhere."""
    (bucket,) = (found for found in synthesized(tmp_path)["Resources"].values() if found["Type"] == "AWS::S3::Bucket")

    assert bucket["Properties"]["BucketName"] == {"Fn::Join": ["", EXPRESSION]}


@pytest.mark.usefixtures("_same_place")
def test_every_feature_flag_that_the_command_line_would_count_is_set_and_none_changes_the_template(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line prints the number of flags without a value whose default is not the recommended value.

    `python app.py`, which the laptop uses, reads no cdk.json: both must deploy the same stack.

    Source:
        https://github.com/aws/aws-cdk-cli (packages/aws-cdk/lib/commands/flags/operations.ts, filterNeedsAttention)
    """
    from aws_cdk import App  # noqa: PLC0415

    of_cdk_json = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]

    def app(*, context: Mapping[str, Any], **others: Any) -> object:
        return App(context={**of_cdk_json, **context}, **others)

    monkeypatch.setattr("stacks.traffic_stack.App", app)
    flagged = synthesized(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    (report,) = (each for each in manifest["artifacts"].values() if each["type"] == "cdk:feature-flag-report")
    flags: dict[str, dict[str, Any]] = report["properties"]["flags"]
    default = {name: flag.get("unconfiguredBehavesLike", {}).get("v2", False) for name, flag in flags.items()}

    assert len(flags) > 80
    assert [
        name for name, flag in flags.items() if "userValue" not in flag and default[name] != flag["recommendedValue"]
    ] == []
    assert flagged == template.body
