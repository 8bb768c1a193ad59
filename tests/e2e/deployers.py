"""Two ways to deploy the same template: the CDK command line, as in an AWS account, and change sets without npm."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from cli.command import STACK_NAME
from local.deploying import deploy
from local.engine import REGION, ROOT, Engine
from local.synthesis import synthesize
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
            parameters: New or changed parameters.
            kept: Parameters of earlier deployments, which do not change.
        """

    def destroy(self) -> None:
        """Delete the stack."""


@dataclass(frozen=True)
class TemplateDeployer:
    """Deploys as `traffic run` does: it passes all parameters each time."""

    engine: Engine

    def bootstrap(self) -> None:
        """Do nothing: a deployment creates the bucket of the assets."""

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
    """Deploys as the documentation describes: `npx aws-cdk@2 deploy --import-existing-resources`.

    Attributes:
        engine: The engine to deploy to.
        folder: The folder for files of the command line.
    """

    engine: Engine
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment that leads the AWS tools to the engine, without the user's settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
        return {**inherited, **aws_settings(self.engine), "CDK_HOME": str(self.folder), "CI": "true"}

    def bootstrap(self) -> None:
        """Create the toolkit's stack."""
        # It synthesizes, too, but without the functions' code, which a deployment needs.
        self._cdk("bootstrap", "--output", str(self.folder / "bootstrap"))

    def deploy(self, parameters: Mapping[str, str], *, kept: Mapping[str, str]) -> None:  # noqa: ARG002 - AWS keeps them
        """Synthesize and deploy with a tag; CloudFormation keeps the values of all other parameters."""
        given = [word for name, value in parameters.items() for word in ("--parameters", f"{name}={value}")]
        options = ("--import-existing-resources", "--require-approval", "never", "--tags", "team=docs")
        self._cdk("deploy", *options, *given, *self._assembly())
        (stack,) = self.engine.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
        assert stack["Tags"] == [{"Key": "team", "Value": "docs"}]

    def destroy(self) -> None:
        """Delete the stack."""
        self._cdk("destroy", "--force", *self._assembly())

    def _assembly(self) -> list[str]:
        """Return the options for a synthesis, as cdk.json says, or for what the first one made: the sources stay."""
        made = self.folder / "cdk.out"
        return ["--app", str(made)] if (made / "manifest.json").exists() else ["--output", str(made)]

    def _cdk(self, *arguments: str) -> None:
        ran = subprocess.run(  # noqa: S603 - the README's own command
            [*npx(), *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def aws_settings(engine: Engine) -> dict[str, str]:
    """Return the environment in which any AWS tool uses the engine."""
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
    """Return the command of the CDK command line; skip the test if it is not available."""
    program = shutil.which("npx")
    if program is None:
        pytest.skip("there is no npx here, which the CDK command line needs")
    command = [program, "--yes", CDK]
    asked = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    if asked.returncode:
        pytest.skip(f"npx cannot get {CDK}: {(asked.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return command
