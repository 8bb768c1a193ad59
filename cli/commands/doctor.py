"""`traffic doctor`: checks the token, its permissions and the set-up, and reports what to do."""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from cli.command import Target, command
from cli.pager import paged
from cli.runs.executions import at, newest_executions
from cli.settings.local_settings import LocalSettings, local_settings
from cli.stack.deployment import ONE_STACK, Deployment, aws_deployment, history_owner
from cli.stack.drift import drift_findings
from cli.stack.failures import missing_access
from cli.stack.finding import Finding
from cli.stack.ready import NEW_TOKEN_PAGE
from cli.stack.subscriptions import subscription_findings
from cli.stack.token_access import first_pushable, github_with, token_report, traffic_refusal
from cli.terminal import FAILED, CommandError, table
from local.engine import EngineError, running_engine
from local.synthesis import ASSEMBLY, SynthesisError, synthesize
from traffic.errors import GitHubAuthError
from traffic.github.answers import version_end_text
from traffic.github.client import GitHub
from traffic.github.rate_limit import RESERVE
from traffic.github.tokens import ANYONE, PLACEHOLDER, tokens_in
from traffic.settings import SettingError, misfit_lines, misfits

EXAMPLES = """examples:
  traffic doctor          this machine: Python, settings, token, stack, engine, disk
  traffic doctor --aws    the deployed stack: outputs, token, subscriptions, tables and archive, last run

exit codes: 0 nothing failed, 1 something failed
"""

NEEDED_DISK = 1_000_000_000  # bytes: 1,000 repositories for three years, with room for the engine's own state
LATER = "leave GitHubAccessToken out of later deployments: another value overwrites every token"

OUTPUTS = (
    "StateMachineArn",
    "TrafficTable",
    "RepositoriesTable",
    "SnapshotsTable",
    "ArchiveBucket",
    "SummaryTopicArn",
    "GitHubTokenSecret",
    "StoreTrafficFunction",
)

HEADINGS = ("", "CHECK", "FOUND", "WHAT TO DO")


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Check what a run needs, and report what to do if something is missing."""
    findings = list(aws_findings(target) if target.aws else local_findings())
    with paged():
        table(HEADINGS, [(each.state, each.subject, each.found, each.advice) for each in findings])
    return FAILED if any(each.state == "fail" for each in findings) else 0


def local_findings() -> Iterator[Finding]:
    """Check what a run on this machine needs."""
    yield python_finding(sys.version_info[:2])
    try:
        settings = local_settings()
    except SettingError as exc:
        yield Finding("fail", "settings", str(exc), "correct it in the environment, .env or traffic.toml")
        return
    files = f", {' and '.join(settings.files_here)} of {Path.cwd()}" if settings.files_here else ""
    yield Finding("ok", "settings", f"GITHUB_API_URL {settings.api_url}, TRAFFIC_HOME {settings.home}{files}")
    for file in map(str, map(Path.absolute, settings.exposed)):
        found = f"other users of this machine can read it in {file}"
        yield Finding("warn", "token", found, f"type `chmod 600 {shlex.quote(file)}`")
    if settings.token:
        yield from tokens_findings(settings.api_url, settings.token)
    else:
        advice = f"make a token: {NEW_TOKEN_PAGE}, and store it with `traffic token`"
        yield Finding("warn", "token", "GITHUB_TOKEN is not set: only the demonstration runs", advice)
    yield from history_findings(settings)
    yield from _guarded("stack", _synthesis)
    yield from _guarded("engine", _engine)


def python_finding(version: tuple[int, int]) -> Finding:
    """Check the version of Python."""
    found = ".".join(map(str, version))
    if version >= (3, 11):
        return Finding("ok", "python", found)
    return Finding("fail", "python", found, "install Python 3.11 or later, remove .venv and set up again")


def tokens_findings(api_url: str, secret: str, *, options: str = "") -> Iterator[Finding]:
    """Check each token.

    Args:
        api_url: The address of GitHub's API.
        secret: The content of the secret or of GITHUB_TOKEN.
        options: The options that lead `traffic` to the stack, such as ` --aws`; empty for this machine.
    """
    try:
        tokens = tokens_in(secret)
    except GitHubAuthError as exc:
        yield Finding("fail", "token", str(exc), f"`traffic token{options}` replaces it")
        return
    for owner, token in tokens.items():
        checked = token_findings(github_with(api_url, token))
        if token.casefold() == PLACEHOLDER:
            checked = iter([placeholder_finding(owner, options, several=len(tokens) > 1)])
        for finding in checked:
            yield finding if owner == ANYONE else replace(finding, subject=f"{finding.subject} for {owner}")


def placeholder_finding(owner: str, options: str, *, several: bool) -> Finding:
    """Report how to replace the placeholder `none`, with which a stack can be deployed."""
    if not options:
        found = f"it is {PLACEHOLDER!r}, which is not a token"
        return Finding("fail", "token", found, "`traffic token` stores another")
    command = f"traffic token{options}{f' --owner {shlex.quote(owner)}' if several or owner != ANYONE else ''}"
    return Finding(
        "fail",
        "token",
        f"the secret still holds {PLACEHOLDER!r}, the placeholder of the deployment",
        f"`{command}` asks for the token; {LATER}",
    )


def token_findings(github: GitHub) -> Iterator[Finding]:
    """Check whether GitHub accepts the token, and whether it may read traffic."""
    try:
        report = token_report(github)
        if not report.accepted:
            yield Finding("fail", "token", "GitHub refuses it (401)", f"make a new one: {NEW_TOKEN_PAGE}")
            return
        expires = f"expires {report.expires}" if report.expires else "never expires"
        yield Finding("ok", "token", f"{report.login or 'a GitHub App'}, {expires}")
        if report.version_end:
            advice = "update this program before that"
            yield Finding("warn", "api version", version_end_text(report.version_end), advice)
        resets = f"{report.resets:%H:%M} UTC" if report.resets else "the next hour"
        yield limit_finding(report.remaining, report.limit, resets)
        yield permission_finding(github)
    except CommandError as exc:
        yield Finding("fail", "github", str(exc), "check the network and GITHUB_API_URL")


def limit_finding(remaining: int | None, limit: int | None, resets: str) -> Finding:
    """Check that more calls are left than a run leaves to other tools."""
    if remaining is None or limit is None:
        return Finding("ok", "rate limit", "GitHub reports none")
    found = f"{remaining} of {limit} calls left until {resets}"
    if remaining < limit * RESERVE:
        return Finding("warn", "rate limit", found, "a run will wait until then")
    return Finding("ok", "rate limit", found)


def permission_finding(github: GitHub) -> Finding:
    """Check with one repository that the token may read traffic."""
    repository = first_pushable(github)
    if repository is None:
        return Finding("warn", "permission", "no repository that it can push to", "add repositories to the token")
    refusal = traffic_refusal(github, repository)
    if refusal is None:
        return Finding("ok", "permission", f"reads the traffic of {repository}")
    needed = 'give the token "Administration" (read)'
    if "push access" in refusal:  # GitHub lists it as pushable for the owner: the token itself lacks something
        needed += " if it is fine-grained, or repo if it is classic, and its owner push access"
    return Finding("fail", "permission", f"{repository}: {refusal}", needed)


def history_findings(settings: LocalSettings) -> Iterator[Finding]:
    """Check that the history can be written, and that the disk has room for it."""
    try:
        settings.history.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.history):
            pass
    except OSError as exc:
        yield Finding(
            "fail", "history", f"{settings.history}: {exc.strerror}", "set TRAFFIC_HOME to a folder that you own"
        )
        return
    yield Finding("ok", "history", f"{settings.history} can be written")
    free = shutil.disk_usage(settings.history).free
    found = f"{free / 1e9:.1f} GB free"
    yield Finding("ok", "disk", found) if free > NEEDED_DISK else Finding("warn", "disk", found, "free 1 GB")


def _guarded(subject: str, check: Callable[[], str]) -> Iterator[Finding]:
    try:
        yield Finding("ok", subject, check())
    except (EngineError, SynthesisError, CommandError, ClientError, BotoCoreError, OSError) as exc:
        yield Finding("fail", subject, str(exc), "run `make run` to set up again")


def _synthesis() -> str:
    return f"synthesized in {synthesize(ASSEMBLY)}"


def _engine() -> str:
    with tempfile.TemporaryDirectory() as folder, running_engine(Path(folder)) as engine:
        return f"starts, on {engine.url}"


def aws_findings(target: Target) -> Iterator[Finding]:
    """Check the deployed stack."""
    try:
        with aws_deployment(target) as deployment:
            yield Finding("ok", "stack", f"{target.stack_name} in {deployment.place}")
            yield from deployment_findings(deployment)
    except (CommandError, ClientError, BotoCoreError) as exc:
        found, advice = missing_access(exc) or (str(exc), "check --profile, --region and --stack-name, or deploy it")
        yield Finding("fail", "stack", found, advice)


def deployment_findings(deployment: Deployment) -> Iterator[Finding]:
    """Check a stack's outputs, token, subscriptions, tables, archive and last run."""
    missing = [name for name in OUTPUTS if name not in deployment.outputs]
    if missing:
        yield outputs_finding(deployment, missing)
        return
    yield Finding("ok", "outputs", f"{len(OUTPUTS)} present")
    yield from selection_findings(deployment)
    yield from secret_findings(deployment)
    yield from subscription_findings(deployment)
    yield from drift_findings(deployment)
    yield last_run_finding(deployment)


def selection_findings(deployment: Deployment) -> Iterator[Finding]:
    """Check the globs of the stack: an earlier version took some that match no repository."""
    for line in misfit_lines(misfits(deployment.parameters)):
        command = f"traffic settings{deployment.options} --apply"
        yield Finding("warn", "settings", line, f"correct it in traffic.toml, then `{command}`")


def outputs_finding(deployment: Deployment, missing: Sequence[str]) -> Finding:
    """Report missing outputs: the stack is older than this program, or CloudFormation refused a second stack."""
    owner = history_owner(deployment.client("cloudformation"))
    if owner in (None, deployment.stack):
        return Finding("fail", "outputs", f"missing: {', '.join(missing)}", "deploy this version of the stack")
    found = f"it has none: the history here belongs to the stack {owner!r}. {ONE_STACK[0].upper()}{ONE_STACK[1:]}"
    advice = f"delete the stack {deployment.stack!r} and use {owner!r}, or deploy to another region or account"
    return Finding("fail", "outputs", found, advice)


def secret_findings(deployment: Deployment) -> Iterator[Finding]:
    """Check that the secret can be read, and the token in it."""
    secret = deployment.output("GitHubTokenSecret")
    try:
        token = deployment.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    except ClientError as exc:
        yield Finding(
            "warn", "secret", exc.response["Error"]["Code"], "these credentials may not read it; the functions may"
        )
        return
    yield Finding("ok", "secret", "readable", LATER)
    yield from tokens_findings(deployment.parameters["GitHubApiUrl"], token, options=deployment.options)


def last_run_finding(deployment: Deployment) -> Finding:
    """Check how the last run ended."""
    last = next(iter(newest_executions(deployment, 1)), None)
    if last is None:
        return Finding("warn", "last run", "there is none yet", f"`traffic run{deployment.options}` starts one")
    found = f"{last['name']} {last['status']} {at(last['startDate'])}"
    if last["status"] in ("SUCCEEDED", "RUNNING"):
        return Finding("ok", "last run", found)
    return Finding("fail", "last run", found, f"`traffic executions{deployment.options} {last['name']}` shows why")
