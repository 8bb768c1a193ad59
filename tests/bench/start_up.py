"""Measures how long functions and commands take to start, compared with the import of requests and a boto3 client."""

import os
import resource
import subprocess
import sys

ALONE = "import requests, boto3; boto3.client('dynamodb')"
FUNCTIONS = ("list_repos", "fetch_traffic", "store_traffic", "summarize_run")
COMMANDS = ("--version", "--help", "show --help", "run --help")
TIMES = 7


def start_ratios() -> list[tuple[str, float, float]]:
    """Return for each function and command its name, its processor seconds, and the ratio to a client alone.

    A function is measured with one client. A bare Python is subtracted.

    The result is the best of several rounds. Each round measures all of them, so a busy machine slows all of them.
    """
    made = {name: f"import lambdas.{name}.handler, boto3; boto3.client('dynamodb')" for name in FUNCTIONS}
    typed = {f"traffic {each}": f"from cli.main import main; main({each.split()})" for each in COMMANDS}
    codes = {"": "pass", "requests and a client": ALONE, **made, **typed}
    rounds = [{name: seconds(code) for name, code in codes.items()} for _ in range(TIMES)]
    best = {name: min(measured[name] for measured in rounds) for name in codes}
    python = best.pop("")
    alone = best["requests and a client"] - python
    return [(name, taken - python, (taken - python) / alone) for name, taken in best.items()]


def seconds(code: str) -> float:
    """Return the processor seconds that a new Python process takes for some code."""
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": "bench"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
