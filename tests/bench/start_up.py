"""How long each function's code takes to import, beside requests and boto3's client alone."""

import os
import resource
import subprocess
import sys

ALONE = "import requests, boto3; boto3.client('dynamodb')"
FUNCTIONS = ("list_repos", "fetch_traffic", "store_traffic", "summarize_run")
TIMES = 7


def import_ratios() -> list[tuple[str, float, float]]:
    """Give for each function the seconds of processor time, with one client made, and the ratio to those alone."""
    python = seconds("pass")
    alone = seconds(ALONE) - python
    rows = [("requests and a client", alone, 1.0)]
    for name in FUNCTIONS:
        own = seconds(f"import lambdas.{name}.handler, boto3; boto3.client('dynamodb')") - python
        rows.append((name, own, own / alone))
    return rows


def seconds(code: str) -> float:
    """Measure the processor time that a new Python takes for some code; the best of several."""
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": "bench"}
    taken = []
    for _ in range(TIMES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)  # noqa: S603 - our own
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)
