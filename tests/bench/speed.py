"""Measures runs at GitHub's own speed: against a GitHub that enforces all of its limits, and one without limits.

Each run is a real one, on the local engine, with the waits that GitHub's limits demand: a run of 2,000 repositories
takes from nine to fifteen minutes.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from cli.runs.cost_table import RUNS, dollars
from cli.runs.executions import children_of, visits_of
from cli.runs.prices import GIGABYTE_SECOND, INVOCATION, READ, TRANSITION, WRITE
from cli.runs.progress import RunReader
from cli.runs.usage import usage
from cli.stack.deployment import Deployment
from simulated_github import SimulatedGitHub
from tests.bench.as_before import assembly_as_before
from tests.bench.cost import REPOSITORIES as PRICED
from tests.bench.cost import first_version_cost
from tests.bench.pace import first_loop
from tests.bench.world import github as served
from tests.integration.pipeline import Execution, Pipeline, deployed_pipeline

FLEET = 2_000
HOURLY = 15_000  # calls: what GitHub grants to users of an enterprise
LONGEST = 2 * 3600.0  # seconds
TOKENS = {"octo": "github_pat_one", "octo-org": "github_pat_two", "acme": "github_pat_three"}  # by owner
SHARE = 400  # repositories of each of these tokens: three minutes, even if each user has all limits alone
LOOPED = 50  # repositories for the first version's loop
UNPACED = 400  # repositories for the way before there was a pace: enough to meet GitHub's limits several times
WAIT = "Wait for rate limit"  # in the definition
EVERY = 30.0  # seconds between two lines about the progress


@dataclass(frozen=True)
class Speed:
    """How fast repositories were captured, and what that cost.

    Attributes:
        what: The way.
        repositories: How many were captured.
        seconds: How long it took.
        calls: The calls to GitHub.
        refused: Those that GitHub refused because of a limit, by GitHub's own record.
        waits: How often the run or a child waited for GitHub's limits in a state.
        peaks: For each user the most calls in a minute, calls at once, and response seconds in a minute.
        function_seconds: The time that all functions ran, added up.
        dollars: Transitions, Lambda and DynamoDB for 1,000 repositories and a month.
    """

    what: str
    repositories: int
    seconds: float
    calls: int
    refused: int
    waits: int
    peaks: str
    function_seconds: float
    dollars: float


def of_one_user(what: str, latency: float, repositories: int = FLEET, *, limit: int | None = HOURLY) -> Speed:
    """Capture repositories with one token.

    Args:
        what: The way, in words.
        latency: Seconds that GitHub takes for a call.
        repositories: How many.
        limit: Calls granted an hour; None for an Enterprise Server without limits.
    """
    with (
        deployed({}) as pipeline,
        SimulatedGitHub(repositories=repositories, limit=limit, latency=latency, port=pipeline.port) as github,
    ):
        return measured(what, pipeline, github)


def as_before(what: str, latency: float, repositories: int = UNPACED, *, limit: int | None = HOURLY) -> Speed:
    """Capture repositories with one token, as it was done before there was a pace. Arguments as for `of_one_user`."""
    with (
        assembly_as_before() as assembly,
        deployed({}, assembly) as pipeline,
        SimulatedGitHub(repositories=repositories, limit=limit, latency=latency, port=pipeline.port) as github,
    ):
        return measured(what, pipeline, github)


def of_three_tokens(what: str, logins: tuple[str, str, str], latency: float, share: int = SHARE) -> Speed:
    """Capture repositories with three tokens.

    Args:
        what: The way, in words.
        logins: The user of each token.
        latency: Seconds that GitHub takes for a call.
        share: Repositories of each token.
    """
    with (
        deployed(TOKENS) as pipeline,
        SimulatedGitHub(
            repositories=len(TOKENS) * share,
            owners=list(TOKENS),
            limit=HOURLY,
            latency=latency,
            token={token: [owner] for owner, token in TOKENS.items()},
            users=dict(zip(TOKENS.values(), logins, strict=True)),
            port=pipeline.port,
        ) as github,
    ):
        return measured(what, pipeline, github)


def loop_of_the_first_version(latency: float, repositories: int = LOOPED) -> Speed:
    """Capture repositories with the first version's loop."""
    with deployed({}) as pipeline, served(pipeline.port, repositories, latency) as url:
        loop = first_loop(pipeline.engine.url, pipeline.engine.access_key, url)
    month = first_version_cost(loop, repositories)
    return Speed("the first version's loop", repositories, loop.seconds, loop.calls, 0, 0, "", loop.seconds, month)


@contextmanager
def deployed(tokens: Mapping[str, str], assembly: Path | None = None) -> Iterator[Pipeline]:
    """Deploy the real template, or that of another assembly, to a new engine.

    Args:
        tokens: The token of each owner; with none, there is one token for all repositories.
        assembly: The other assembly.
    """
    with tempfile.TemporaryDirectory() as home, deployed_pipeline(Path(home) / "history", assembly) as pipeline:
        if tokens:
            secrets, name = pipeline.engine.client("secretsmanager"), pipeline.outputs["GitHubTokenSecret"]
            secrets.put_secret_value(SecretId=name, SecretString=json.dumps(dict(tokens)))
        yield pipeline


def measured(what: str, pipeline: Pipeline, github: SimulatedGitHub) -> Speed:
    """Run once and measure, with cold functions as on every day in AWS.

    Raises:
        RuntimeError: The run did not capture all repositories.
    """
    with progress(what, github):
        execution = pipeline.finish(pipeline.start(), LONGEST)
    calls, repositories = github.calls, len(github.names)
    message = pipeline.summary(execution)["message"]
    if f"{repositories} of {repositories} repositories captured" not in message:
        raise RuntimeError(f"{what}: {execution.status}: {message}")
    deployment = Deployment(outputs=pipeline.outputs, client=pipeline.engine.client, place="", parameters={})
    reader = RunReader(deployment, execution.arn)
    used = usage(deployment, reader, reader.execution())
    month = dollars(used.used, TRANSITION, GIGABYTE_SECOND, INVOCATION, WRITE, READ) / repositories * PRICED * RUNS
    peaks = [f"{each.calls}, {each.at_once}, {each.seconds:.0f}" for each in github.peaks.values()]
    return Speed(
        what,
        repositories,
        execution.seconds,
        len(calls),
        sum(call.status in (403, 429) for call in calls),
        waits_in(deployment, execution),
        "; ".join(peaks),
        used.function_seconds,
        month,
    )


def waits_in(deployment: Deployment, execution: Execution) -> int:
    """Count how often a run and its children waited in a state."""
    arns = [execution.arn, *(child["executionArn"] for child in children_of(deployment, execution.arn))]
    return sum(visit.name == WAIT for arn in arns for visit in visits_of(deployment, arn))


@contextmanager
def progress(what: str, github: SimulatedGitHub) -> Iterator[None]:
    """Print how many calls were made, again and again: a run takes minutes."""
    begun, ended = time.monotonic(), Event()

    def show() -> None:
        while not ended.wait(EVERY):
            print(f"{what}: {len(github.calls)} calls in {time.monotonic() - begun:.0f} s", file=sys.stderr)  # noqa: T201

    Thread(target=show, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
