"""Promise: a function imports no library that it does not need: each costs processor time at every start."""

import subprocess
import sys

import pytest

from tests.documents import ROOT

SDK = "import boto3, aws_lambda_powertools; from aws_lambda_powertools.utilities import typing"

# Beside the SDK and Powertools, by function: Store traffic asks no GitHub, and Summarize run computes medians.
NEEDED: dict[str, set[str]] = {
    "store_traffic": set(),
    "summarize_run": {"statistics", "fractions", "numbers"},
}


@pytest.mark.parametrize("function", NEEDED)
def test_a_function_that_asks_no_github_imports_no_client(function: str) -> None:
    """The client brings requests along, which takes a fifth of the time in which Summarize run starts."""
    program = (
        f"import sys; {SDK}; before = {{*sys.modules}}; import lambdas.{function}.handler; "
        "print(*(sys.modules.keys() - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this program
    imported = done.stdout.split()
    libraries = {name.partition(".")[0] for name in imported} - {"lambdas", "traffic"}

    assert f"lambdas.{function}.handler" in imported
    assert {name for name in libraries if not name.startswith("_")} <= NEEDED[function]
    assert "traffic.github.client" not in imported
