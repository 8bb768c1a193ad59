"""`traffic doctor`: what each check finds, and what it advises."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.command import Target
from cli.commands import doctor
from cli.commands.doctor import (
    deployment_findings,
    last_run_finding,
    limit_finding,
    python_finding,
    token_findings,
    tokens_findings,
)
from cli.main import main
from cli.settings.local_settings import local_settings
from cli.stack.deployment import Deployment
from cli.stack.finding import Finding
from cli.stack.token_access import github_with
from cli.terminal import CommandError
from local.engine import EngineError
from local.synthesis import ASSEMBLY
from simulated_github import SimulatedGitHub, faults
from tests.unit.cli_stack import OUTPUTS, Stack, fresh_stack

NEW_TOKEN = "https://github.com/settings/personal-access-tokens/new"
LATER = "leave GitHubAccessToken out of later deployments: another value overwrites every token"
NO_CALLS = "http://127.0.0.1:9"  # an address at which nothing listens

stack = pytest.fixture(fresh_stack)


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """A GitHub that accepts one token."""
    with SimulatedGitHub(
        repositories=["octo/docs"],
        token="good",
        token_expires="2027-01-31 10:13:04 UTC",
        at="2026-11-20T09:00:00Z",
    ) as simulated:
        yield simulated


def by_subject(findings: Iterable[Finding]) -> dict[str, tuple[str, str, str]]:
    """Return state, finding and advice of each check."""
    return {each.subject: (each.state, each.found, each.advice) for each in findings}


def test_a_token_that_reads_traffic_passes(github: SimulatedGitHub) -> None:
    """The doctor asks for the same thing as a run: the traffic of a repository."""
    assert by_subject(token_findings(github_with(github.url, "good"))) == {
        "token": ("ok", "octo, expires 2027-01-31 10:13:04 UTC", ""),
        "rate limit": ("ok", "4999 of 5000 calls left until 10:00 UTC", ""),
        "permission": ("ok", "reads the traffic of octo/docs", ""),
    }


def test_a_token_that_never_expires_and_may_not_read_traffic_fails() -> None:
    """The reason of GitHub is shown with the missing permission."""
    with SimulatedGitHub(repositories=["octo/docs"]) as github:
        github.add_fault(faults.not_accessible_by_token(), endpoint="views")
        found = by_subject(token_findings(github_with(github.url, "any")))

    assert found["token"] == ("ok", "octo, never expires", "")
    assert found["permission"] == (
        "fail",
        "octo/docs: 403 Resource not accessible by personal access token",
        'give the token "Administration" (read)',
    )


def test_a_token_that_lacks_push_access_is_reported_with_what_it_needs() -> None:
    """GitHub says so of a classic token without the scope `repo`, too, although its owner can push."""
    with SimulatedGitHub(repositories=["octo/docs"]) as github:
        github.add_fault(faults.no_push_access(), endpoint="views")
        found = by_subject(token_findings(github_with(github.url, "any")))

    assert found["permission"] == (
        "fail",
        "octo/docs: 403 Must have push access to repository",
        (
            'give the token "Administration" (read) if it is fine-grained, or repo if it is classic,'
            " and its owner push access"
        ),
    )


def test_the_token_of_an_app_passes(github: SimulatedGitHub) -> None:
    """GitHub does not return a login for it."""
    github.add_fault(faults.not_accessible_by_token("integration"), endpoint="user")

    assert by_subject(token_findings(github_with(github.url, "good")))["token"] == (
        "ok",
        "a GitHub App, expires 2027-01-31 10:13:04 UTC",
        "",
    )


def test_a_refused_token_fails_after_one_call(github: SimulatedGitHub) -> None:
    """GitHub locks out the owner of a refused token that is repeated."""
    assert by_subject(token_findings(github_with(github.url, "wrong"))) == {
        "token": ("fail", "GitHub refuses it (401)", f"make a new one: {NEW_TOKEN}")
    }
    assert len(github.calls) == 1


def test_a_token_without_repositories_is_a_warning() -> None:
    """It works, but nothing will be captured."""
    with SimulatedGitHub(repositories=[]) as github:
        found = by_subject(token_findings(github_with(github.url, "any")))

    assert found["permission"] == ("warn", "no repository that it can push to", "add repositories to the token")


def test_a_github_that_does_not_answer_fails() -> None:
    """A wrong address is the most common mistake with GitHub Enterprise Server."""
    assert by_subject(token_findings(github_with(NO_CALLS, "any"))) == {
        "github": (
            "fail",
            f"GitHub does not answer at {NO_CALLS} (ConnectionError): check network and GITHUB_API_URL.",
            "check the network and GITHUB_API_URL",
        )
    }


def test_each_of_several_tokens_is_checked(github: SimulatedGitHub) -> None:
    """The subject contains the owner."""
    found = by_subject(tokens_findings(github.url, '{"octo": "good", "acme": "wrong"}'))

    assert {subject: state for subject, (state, _, _) in found.items()} == {
        "token for octo": "ok",
        "rate limit for octo": "ok",
        "permission for octo": "ok",
        "token for acme": "fail",
    }


@pytest.mark.parametrize(
    ("secret", "options", "subject", "found", "advice"),
    [
        ("none", "", "token", "it is 'none', which is not a token", "`traffic token` stores another"),
        ("None", " --aws", "token", None, f"`traffic token --aws` asks for the token; {LATER}"),
        (
            '{"*": "none", "octo": "none"}',
            " --aws",
            "token",
            None,
            f"`traffic token --aws --owner '*'` asks for the token; {LATER}",
        ),
        (
            '{"acme": "NONE"}',
            " --aws --profile work",
            "token for acme",
            None,
            f"`traffic token --aws --profile work --owner acme` asks for the token; {LATER}",
        ),
    ],
)
def test_the_doctor_fails_the_placeholder_without_asking_github(
    secret: str, options: str, subject: str, found: str | None, advice: str
) -> None:
    """Each refused call brings a user nearer to being locked out."""
    findings = by_subject(tokens_findings(NO_CALLS, secret, options=options))

    assert findings[subject] == (
        "fail",
        found or "the secret still holds 'none', the placeholder of the deployment",
        advice,
    )
    assert "github" not in findings


def test_a_secret_without_a_token_fails() -> None:
    """Half a JSON object is not a token."""
    assert by_subject(tokens_findings(NO_CALLS, '{"octo"', options=" --aws")) == {
        "token": (
            "fail",
            "The secret holds no token. Replace it with `traffic token`.",
            "`traffic token --aws` replaces it",
        )
    }


@pytest.mark.parametrize(("version", "state"), [((3, 10), "fail"), ((3, 11), "ok"), ((3, 12), "ok"), ((4, 0), "ok")])
def test_an_old_python_fails(version: tuple[int, int], state: str) -> None:
    """The packages need 3.11."""
    advice = "install Python 3.11 or later, remove .venv and set up again" if state == "fail" else ""

    assert python_finding(version) == Finding(state, "python", f"{version[0]}.{version[1]}", advice)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("remaining", "limit", "finding"),
    [
        (
            499,
            5000,
            Finding("warn", "rate limit", "499 of 5000 calls left until 10:00 UTC", "a run will wait until then"),
        ),
        (500, 5000, Finding("ok", "rate limit", "500 of 5000 calls left until 10:00 UTC")),
        (None, 5000, Finding("ok", "rate limit", "GitHub reports none")),
        (500, None, Finding("ok", "rate limit", "GitHub reports none")),
        (None, None, Finding("ok", "rate limit", "GitHub reports none")),
    ],
)
def test_a_low_rate_limit_is_a_warning(remaining: int | None, limit: int | None, finding: Finding) -> None:
    """A run leaves a tenth of the limit to other tools, and waits."""
    assert limit_finding(remaining, limit, "10:00 UTC") == finding


def test_a_limit_without_an_end_lasts_until_the_next_hour(github: SimulatedGitHub) -> None:
    """Another server may send only some of the headers."""
    odd = faults.Fault("odd", lambda reply, _: reply.with_headers(x_ratelimit_reset="soon", x_ratelimit_remaining="1"))
    github.add_fault(odd, endpoint="rate_limit")

    assert by_subject(token_findings(github_with(github.url, "good")))["rate limit"] == (
        "warn",
        "1 of 5000 calls left until the next hour",
        "a run will wait until then",
    )


def deployed(stack: Stack, github: SimulatedGitHub, secret: str = "dead") -> Deployment:  # noqa: S107 - not a password
    """Return a stack with a secret, a topic, and the address of the GitHub on loopback."""
    stack.deployment.client("secretsmanager").create_secret(Name="token", SecretString=secret)
    topic = stack.deployment.client("sns").create_topic(Name="summary")["TopicArn"]
    return replace(
        stack.deployment,
        options=" --aws",
        parameters={"GitHubApiUrl": github.url},
        outputs={**OUTPUTS, "SummaryTopicArn": topic},
    )


def test_every_part_of_a_deployed_stack_is_checked(stack: Stack, github: SimulatedGitHub) -> None:
    """Its outputs, the token in its secret, who receives the summary, and how the last run ended."""
    assert by_subject(deployment_findings(deployed(stack, github))) == {
        "outputs": ("ok", "8 present", ""),
        "secret": ("ok", "readable", LATER),
        "token": ("fail", "GitHub refuses it (401)", f"make a new one: {NEW_TOKEN}"),
        "subscription": ("warn", "nobody receives the summary", "`traffic subscribe --aws EMAIL`"),
        "tables and archive": ("ok", "configured as in the template", ""),
        "last run": ("warn", "there is none yet", "`traffic run --aws` starts one"),
    }


def test_a_secret_that_these_credentials_may_not_read_is_a_warning(
    stack: Stack, github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The functions may still read it, and the rest of the stack is checked."""
    deployment = deployed(stack, github)

    def refuse(**_asked: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetSecretValue")

    monkeypatch.setattr(deployment.client("secretsmanager"), "get_secret_value", refuse)
    found = by_subject(deployment_findings(deployment))

    assert found["secret"] == (
        "warn",
        "AccessDeniedException",
        "these credentials may not read it; the functions may",
    )
    assert "last run" in found


def test_the_placeholder_in_the_secret_is_reported_with_the_options_of_the_stack(
    stack: Stack, github: SimulatedGitHub
) -> None:
    """The advice is a command that a person can paste."""
    found = by_subject(deployment_findings(deployed(stack, github, "none")))

    assert found["token"][2] == f"`traffic token --aws` asks for the token; {LATER}"


def test_missing_outputs_fail(stack: Stack) -> None:
    """A stack of the first version has none of them."""
    outputs = {name: value for name, value in OUTPUTS.items() if name in ("TrafficTable", "ArchiveBucket")}

    assert list(deployment_findings(replace(stack.deployment, outputs=outputs))) == [
        Finding(
            "fail",
            "outputs",
            "missing: StateMachineArn, RepositoriesTable, SnapshotsTable, SummaryTopicArn, GitHubTokenSecret,"
            " StoreTrafficFunction",
            "deploy this version of the stack",
        )
    ]


def test_a_second_stack_fails_with_the_reason(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation refuses its tables, and leaves a stack without outputs."""
    monkeypatch.setattr(doctor, "history_owner", lambda _client: "First")

    assert list(deployment_findings(replace(stack.deployment, outputs={}, stack="Second"))) == [
        Finding(
            "fail",
            "outputs",
            "it has none: the history here belongs to the stack 'First'. An account and region has room for one stack,"
            " because its tables, archive and rule have fixed names",
            "delete the stack 'Second' and use 'First', or deploy to another region or account",
        )
    ]
    (finding,) = deployment_findings(replace(stack.deployment, outputs={}, stack="First"))
    assert finding.advice == ("deploy this version of the stack")


def test_every_output_that_a_command_needs_is_checked() -> None:
    """Otherwise the doctor is content with an older stack on which `traffic show` fails: no test's stack has more."""
    assert set(doctor.OUTPUTS) == set(OUTPUTS)


def test_a_glob_that_matches_no_repository_is_a_warning(stack: Stack, github: SimulatedGitHub) -> None:
    """An earlier version took it, and left nothing out. What was typed is named with what was meant."""
    deployment = deployed(stack, github)
    parameters = {**deployment.parameters, "Include": "octo/*", "Exclude": "octo/x,playground"}

    assert by_subject(deployment_findings(replace(deployment, parameters=parameters)))["settings"] == (
        "warn",
        "Exclude holds 'playground', but a repository's name is owner/name: write '*/playground'",
        "correct it in traffic.toml, then `traffic settings --aws --apply`",
    )


@pytest.mark.parametrize(
    ("status", "state", "advice"),
    [
        ("SUCCEEDED", "ok", ""),
        ("RUNNING", "ok", ""),
        ("FAILED", "fail", "`traffic executions --aws run-2` shows why"),
        ("TIMED_OUT", "fail", "`traffic executions --aws run-2` shows why"),
    ],
)
def test_the_end_of_the_last_run_is_reported(stack: Stack, status: str, state: str, advice: str) -> None:
    """Only the newest run counts."""
    stack.step_functions.execution("run-2", status)
    stack.step_functions.execution("run-1", "FAILED" if state == "ok" else "SUCCEEDED")

    finding = last_run_finding(replace(stack.deployment, options=" --aws"))

    assert finding == Finding(state, "last run", f"run-2 {status} 2026-11-20T09:00:00Z", advice)  # type: ignore[arg-type]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without settings, on which the stack is synthesized and the engine starts."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_TOKEN", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(doctor, "synthesize", lambda folder: folder)

    @contextmanager
    def running_engine(folder: Path) -> Iterator[Any]:
        assert folder.is_dir()
        assert not folder.is_relative_to(tmp_path / "home"), "the history's own engine is left alone"
        yield SimpleNamespace(url="http://127.0.0.1:4566")

    monkeypatch.setattr(doctor, "running_engine", running_engine)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2_340_000_000))
    return tmp_path


def test_a_machine_without_a_token_runs_the_demonstration(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning alone does not fail the doctor."""
    assert main(["doctor"]) == 0

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    history = Path(rows[3][2].removesuffix(" can be written"))
    assert history.is_relative_to(machine / "home")
    assert rows[1:] == [
        ["ok", "settings", f"GITHUB_API_URL https://api.github.com, TRAFFIC_HOME {machine / 'home'}", ""],
        [
            "warn",
            "token",
            "GITHUB_TOKEN is not set: only the demonstration runs",
            f"make a token: {NEW_TOKEN}, and store it with `traffic token`",
        ],
        ["ok", "history", f"{history} can be written", ""],
        ["ok", "disk", "2.3 GB free", ""],
        ["ok", "stack", f"synthesized in {ASSEMBLY}", ""],
        ["ok", "engine", "starts, on http://127.0.0.1:4566", ""],
    ]
    assert history.is_dir()
    assert list(history.iterdir()) == []


def test_files_of_the_current_folder_and_a_readable_token_are_reported(machine: Path) -> None:
    """Both surprise people: cron works in another folder, and other users of the machine can use the token."""
    (machine / ".env").write_text("GITHUB_TOKEN=none\n")
    (machine / ".env").chmod(0o644)

    settings, exposed = list(doctor.local_findings())[1:3]

    assert settings.found.endswith(f", .env of {machine}")
    assert exposed == Finding(
        "warn",
        "token",
        f"other users of this machine can read it in {machine}/.env",
        f"type `chmod 600 {machine}/.env`",
    )


def test_what_is_broken_on_a_machine_fails(
    machine: Path, github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each broken part is reported; the others are still checked."""

    def broken(_folder: Path) -> Any:
        raise EngineError("the engine ended with 1")

    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    history = local_settings().history
    history.parent.mkdir(parents=True)
    history.write_text("a file")
    monkeypatch.setattr(doctor, "running_engine", broken)
    assert main(["doctor"]) == 1

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows[1:]] == [
        ["ok", "settings"],
        ["fail", "token"],
        ["fail", "history"],
        ["ok", "stack"],
        ["fail", "engine"],
    ]
    assert rows[3][2] == f"{history}: File exists"
    assert history.is_relative_to(machine)
    assert rows[3][3] == "set TRAFFIC_HOME to a folder that you own"
    assert rows[5][2:] == ["the engine ended with 1", "run `make run` to set up again"]


def test_a_full_disk_is_a_warning(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history of years needs about a gigabyte."""
    assert machine.is_dir()
    for free, finding in (
        (1_000_000_000, ("warn", "1.0 GB free", "free 1 GB")),
        (1_000_000_001, ("ok", "1.0 GB free", "")),
    ):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert by_subject(doctor.local_findings())["disk"] == finding


def test_wrong_settings_end_the_checks(machine: Path) -> None:
    """Without them nothing else can be checked."""
    (machine / ".env").write_text("TRAFFIC_FORKS=maybe\n")

    python, settings = doctor.local_findings()

    assert python.subject == "python"
    assert (settings.state, settings.subject) == ("fail", "settings")
    assert "TRAFFIC_FORKS" in settings.found
    assert settings.advice == "correct it in the environment, .env or traffic.toml"


def test_the_stack_in_aws_is_checked_or_reported_as_missing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice leads to the options that choose a stack."""

    @contextmanager
    def found(target: Target) -> Iterator[Deployment]:
        assert target.aws
        yield replace(stack.deployment, outputs={})

    @contextmanager
    def missing(_target: Target) -> Iterator[Deployment]:
        raise CommandError("There is no stack 'Other' in AWS region us-east-1.")
        yield

    monkeypatch.setattr(doctor, "aws_deployment", found)
    there = by_subject(doctor.aws_findings(Target(aws=True, stack_name="Other")))
    monkeypatch.setattr(doctor, "aws_deployment", missing)
    gone = by_subject(doctor.aws_findings(Target(aws=True, stack_name="Other")))

    assert there["stack"] == ("ok", "Other in /somewhere", "")
    assert there["outputs"][0] == "fail"
    assert gone == {
        "stack": (
            "fail",
            "There is no stack 'Other' in AWS region us-east-1.",
            "check --profile, --region and --stack-name, or deploy it",
        )
    }
