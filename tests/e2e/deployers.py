"""Two ways to deploy the same template: the CDK command line, as in an AWS account, and change sets without npm."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from local.deploying import deploy
from local.engine import REGION, ROOT, Engine
from local.synthesis import synthesize
from stacks.traffic_stack import STACK_NAME
from tests.integration.pipeline import ASSEMBLY

CDK = "aws-cdk@2.1148.1"  # without a pin, npx can resolve to a broken release

PATIENCE = 600.0  # seconds; the first command may have to download the package


class Deployer(Protocol):
    """Deploys the stack to an engine, and deletes it again."""

    def bootstrap(self) -> None:
        """Prepare the account."""

    def deploy(self, parameters: Mapping[str, str], *, kept: Mapping[str, str]) -> None:
        """Deploy.

        Args:
            parameters: Those that are given anew.
            kept: Those that have been given before and do not change.
        """

    def destroy(self) -> None:
        """Delete the stack."""


@dataclass(frozen=True)
class TemplateDeployer:
    """As `traffic run` deploys to the local engine: the parameters are in its settings, and so are given each time."""

    engine: Engine

    def bootstrap(self) -> None:
        """Prepare nothing: the assets' bucket is made where absent."""

    def deploy(self, parameters: Mapping[str, str], *, kept: Mapping[str, str]) -> None:
        """Deploy by a change set that imports existing resources."""
        deploy(self.engine, synthesize(ASSEMBLY), {**kept, **parameters})

    def destroy(self) -> None:
        """Delete the stack."""
        client = self.engine.client("cloudformation")
        client.delete_stack(StackName=STACK_NAME)
        waiter = client.get_waiter("stack_delete_complete")
        waiter.wait(StackName=STACK_NAME, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})


@dataclass(frozen=True)
class CdkDeployer:
    """As the README says: `npx aws-cdk@2 deploy --import-existing-resources`.

    Attributes:
        engine: Where.
        folder: For what the command line keeps.
    """

    engine: Engine
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What leads the AWS tools to the engine, and to nothing of the user's."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
        return {**inherited, **aws_settings(self.engine), "CDK_HOME": str(self.folder), "CI": "true"}

    def bootstrap(self) -> None:
        """Make the toolkit's stack."""
        self._cdk("bootstrap")

    def deploy(self, parameters: Mapping[str, str], *, kept: Mapping[str, str]) -> None:  # noqa: ARG002 - AWS keeps them
        """Synthesize and deploy; a deployment keeps the values of the parameters that it is not given."""
        given = [word for name, value in parameters.items() for word in ("--parameters", f"{name}={value}")]
        self._cdk("deploy", "--import-existing-resources", "--require-approval", "never", *given)

    def destroy(self) -> None:
        """Delete the stack."""
        self._cdk("destroy", "--force")

    def _cdk(self, *arguments: str) -> None:
        made = self.folder / "cdk.out"
        # The first deployment synthesizes, as cdk.json says; the sources stay, so the others take what it made.
        assembly = ["--app", str(made)] if (made / "manifest.json").exists() else ["--output", str(made)]
        ran = subprocess.run(  # noqa: S603 - the README's own command
            [*npx(), *arguments, *assembly],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def aws_settings(engine: Engine) -> dict[str, str]:
    """Give the environment in which any AWS tool works on the engine."""
    return {
        "AWS_ENDPOINT_URL": engine.url,
        "AWS_ACCESS_KEY_ID": engine.access_key,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def npx() -> list[str]:
    """Give the command that runs the CDK command line; the test is skipped, visibly, where it cannot be had."""
    program = shutil.which("npx")
    if program is None:
        pytest.skip("there is no npx here: the CDK command line cannot be had")
    command = [program, "--yes", CDK]
    asked = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    if asked.returncode:
        pytest.skip(f"npx cannot get {CDK}: {(asked.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return command
