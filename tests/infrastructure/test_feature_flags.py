"""Promise: `cdk synth` has nothing to say about feature flags, and cdk.json changes nothing in the template."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacks.traffic_stack import STACK_NAME
from tests.infrastructure.conftest import Template
from tests.infrastructure.house import ROOT

SYNTHESIS = "from stacks.traffic_stack import traffic_app; traffic_app(bundling=False, outdir='{}').synth()"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly that the CDK's command line gets: it passes the context of cdk.json in the environment."""
    folder = tmp_path_factory.mktemp("assembly")
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", SYNTHESIS.format(folder)],
        cwd=ROOT,
        env={**os.environ, "CDK_CONTEXT_JSON": json.dumps(context)},
        check=True,
    )
    return folder


def test_every_feature_flag_that_the_command_line_would_count_is_set(assembly: Path) -> None:
    """It prints the number of flags without a value whose default is not the recommended value.

    Source:
        https://github.com/aws/aws-cdk-cli (packages/aws-cdk/lib/commands/flags/operations.ts, filterNeedsAttention)
    """
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    (report,) = (each for each in manifest["artifacts"].values() if each["type"] == "cdk:feature-flag-report")
    flags: dict[str, dict[str, Any]] = report["properties"]["flags"]
    default = {name: flag.get("unconfiguredBehavesLike", {}).get("v2", False) for name, flag in flags.items()}

    assert len(flags) > 80
    assert [
        name for name, flag in flags.items() if "userValue" not in flag and default[name] != flag["recommendedValue"]
    ] == []


def test_no_flag_changes_the_template(assembly: Path, template: Template) -> None:
    """`python app.py`, which the laptop uses, reads no cdk.json: both must deploy the same stack."""
    flagged = json.loads((assembly / f"{STACK_NAME}.template.json").read_text(encoding="utf-8"))

    assert flagged == template.body
