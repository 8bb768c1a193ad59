"""Checks template and definition, as far as possible without an AWS account: `make check` runs this.

- cdk-nag's AwsSolutions checks what AWS's reviewers check. Each finding is corrected, or acknowledged with a reason.
- cfn-lint checks the template against the schemas of its resources, and the definition against the language's schema.
- The definition must be plain JSON that moto's parser, a second implementation of the language, accepts too.
"""

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

from stacks.traffic_stack import STACK_NAME, traffic_app
from stacks.workflow import DEFINITION

# Imported after stacks, which chooses the Node.js that aws_cdk starts.
from aws_cdk import Validations  # isort: skip
from cdk_nag import AwsSolutionsChecks  # isort: skip

REGION = "us-east-1"

# W3005: CDK writes a DependsOn beside the reference to a role, so that the role's policies are there first.
IGNORED = ["W3005"]


def review(template: Path) -> list[str]:
    """Synthesize into the template's folder, and let cdk-nag check the stack.

    Returns:
        The findings. cdk-nag's own report, on standard error, shows where they are and how to acknowledge them.
    """
    app = traffic_app(bundling=False, outdir=str(template.parent))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as problem:  # jsii raises it for every error in Node.js
        return [f"cdk-nag: {problem}"]
    return []


def lint(template: Path) -> list[str]:
    """Lint the template, which contains the definition."""
    options = ["--regions", REGION, "--ignore-checks", *IGNORED, "--format", "parseable"]
    command = [str(Path(sys.executable).with_name("cfn-lint")), *options, "--template", str(template)]
    linted = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if linted.returncode and not linted.stdout:
        return [f"cfn-lint: {linted.stderr}"]
    return linted.stdout.splitlines()


def parse(definition: Path) -> list[str]:
    """Parse the definition as JSON without repeated names, and as Amazon States Language."""
    # moto warns each time that it does not count a Map's failures.
    logging.getLogger("moto.stepfunctions").setLevel(logging.ERROR)
    text = definition.read_text(encoding="utf-8")
    try:
        json.loads(text, object_pairs_hook=_without_repetition)
        AmazonStateLanguageParser.parse(text)
    except (ValueError, ASLParserException) as problem:
        return [f"{definition.name}: {problem}"]
    return []


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"{', '.join(sorted(repeated))} occurs twice in one object: JSON would drop the first")
    return dict(pairs)


def main() -> int:
    """Run all checks, and print their findings.

    Returns:
        The exit status: 1 if there are findings.
    """
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / f"{STACK_NAME}.template.json"
        checks: list[tuple[Callable[[Path], list[str]], Path]] = [
            (parse, DEFINITION),
            (review, template),
            (lint, template),
        ]
        problems = [problem for check, path in checks for problem in check(path)]
    print("\n".join(problems) or "Template and definition: no findings.")  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
