"""`traffic run`: what it starts, what it shows, and how it ends."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from cli.command import Target
from cli.commands.run import run_input, set_time
from cli.main import main
from cli.runs.executions import start_execution
from cli.runs.live import follow
from cli.terminal import CommandError
from tests.unit.cli_stack import MACHINE, Stack, fresh_stack
from tests.unit.moto_account import moto_account
from traffic.contract import ENDPOINTS, manifest_key, receipts_prefix, summary_key

stack = pytest.fixture(fresh_stack)


@pytest.fixture(autouse=True)
def _typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is called as the documents show it."""
    monkeypatch.setattr("sys.argv", [".venv/bin/traffic"])


END = [
    "",
    "History:    /somewhere",
    "Execution:  .venv/bin/traffic executions run-1",
    "Table:      .venv/bin/traffic export --format csv",
]


def receipt(id_: int, outcome: str = "captured", answered: tuple[str, ...] = ENDPOINTS) -> dict[str, Any]:
    """Make the part of a receipt that progress is read from."""
    return {"id": id_, "name": f"octo/{id_}", "answered": list(answered), "outcome": outcome}


def run_in_steps(stack: Stack, steps: Iterator[None]) -> str:
    """Start an execution that does one step at each look, and return its ARN."""
    stack.step_functions.on_look = lambda _execution: next(steps, None)
    return str(stack.step_functions.execution("run-1", "RUNNING")["executionArn"])


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between two looks, which take no time here, and between two lines."""
    slept: list[float] = []
    monkeypatch.setattr("cli.runs.live.time.sleep", slept.append)
    monkeypatch.setattr("cli.runs.live.LINE_EVERY", 0)
    return slept


def test_a_run_is_shown_until_it_ends_and_then_its_summary(
    stack: Stack, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """The summary is that of the e-mail. Exit code 0 means that the run succeeded."""

    def steps() -> Iterator[None]:
        yield
        stack.note(manifest_key("run-1"), [{"repositories": [{"id": 1}, {"id": 2}]}])
        stack.note(receipts_prefix("run-1") + "a.json", [receipt(1), receipt(2, "no push access", ())])
        yield
        stack.note(summary_key("run-1"), {"subject": "1 of 2", "message": "1 captured\n  octo/\x1b2: no push access"})
        stack.step_functions.executions[0]["status"] = "SUCCEEDED"
        yield

    assert follow(stack.deployment, run_in_steps(stack, steps())) == 0

    assert capsys.readouterr() == (
        "\n".join(
            [
                "Started run-1",
                "listing repositories",
                "1 of 2 repositories captured, 1 failed",
                "",
                "1 captured",
                "  octo/ 2: no push access",
                *END,
                "",
            ]
        ),
        "",
    )
    assert slept == [0.5, 0.5]
    assert stack.saves == 1


def test_a_run_in_aws_is_looked_at_less_often(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """AWS charges for each look. The commands to copy lead to the same stack."""

    def steps(stack: Stack) -> Iterator[None]:
        yield
        stack.step_functions.executions[0]["status"] = "SUCCEEDED"
        yield

    with moto_account():
        stack = Stack(options=" --aws --profile p")
        assert follow(stack.deployment, run_in_steps(stack, steps(stack))) == 0

    assert slept == [3.0]
    assert capsys.readouterr().out.splitlines()[-5:] == [
        "The run ended as SUCCEEDED before it wrote a summary.",
        "",
        "History:    /somewhere",
        "Execution:  .venv/bin/traffic executions --aws --profile p run-1",
        "Table:      .venv/bin/traffic export --aws --profile p --format csv",
    ]


def test_commands_to_copy_can_be_pasted_if_the_path_has_a_space(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell would split the path in two."""
    monkeypatch.setattr("sys.argv", ["/home/me/my projects/.venv/bin/traffic"])

    follow(stack.deployment, stack.step_functions.execution("run-1")["executionArn"])

    words = [shlex.split(line)[1:3] for line in capsys.readouterr().out.splitlines()[-2:]]
    assert words == [["/home/me/my projects/.venv/bin/traffic", name] for name in ("executions", "export")]


def test_a_repository_counts_after_all_its_answers_are_stored(
    stack: Stack, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """A batch that met the rate limit half-way leaves two receipts for one repository."""

    def steps() -> Iterator[None]:
        stack.note(manifest_key("run-1"), [{"repositories": [{"id": 1}]}])
        stack.note(receipts_prefix("run-1") + "a.json", [receipt(1, answered=("views",))])
        yield
        stack.note(receipts_prefix("run-1") + "b.json", [receipt(1, answered=("clones", "referrers", "paths"))])
        stack.step_functions.executions[0]["status"] = "SUCCEEDED"
        yield

    follow(stack.deployment, run_in_steps(stack, steps()))

    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["0 of 1 repository captured", "1 of 1 repository captured"]
    assert len(slept) == 1


def test_a_failed_run_without_a_summary_shows_error_and_cause(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A run may die before it writes a summary. Its reason must not be hidden in a log."""
    execution = stack.step_functions.execution("run-1", "FAILED", error="GitHubAuthError", cause="Bad credentials")

    assert follow(stack.deployment, execution["executionArn"]) == 1

    shown = capsys.readouterr()
    assert shown.out.splitlines()[2:] == ["", "The run ended as FAILED before it wrote a summary.", *END]
    assert shown.err == "traffic: error: run-1 FAILED: GitHubAuthError: Bad credentials\n"


def test_the_error_of_a_failed_run_has_the_reason_of_its_summary(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Step Functions has the mail's subject as the cause, which only repeats the name of the error."""
    subject = "GitHub traffic 2026-11-20: FAILED, InvalidInputError"
    execution = stack.step_functions.execution("run-1", "FAILED", error="InvalidInputError", cause=subject)
    reason = "The date 2030-01-01 is in the future; expected 2026-11-20 or an earlier day."
    stack.note(summary_key("run-1"), {"subject": subject, "message": "The run failed: ...", "cause": reason})

    assert follow(stack.deployment, execution["executionArn"]) == 1
    assert capsys.readouterr().err == f"traffic: error: run-1 FAILED: InvalidInputError: {reason}\n"


def test_a_run_that_ended_without_a_reason_is_reported(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A person who stops a run in the console need not give a reason."""
    execution = stack.step_functions.execution("run-1", "ABORTED")

    assert follow(stack.deployment, execution["executionArn"]) == 1

    assert capsys.readouterr().err == "traffic: error: run-1 ABORTED: no reason given\n"


def test_an_interruption_stops_the_run_and_saves(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise a run that nobody watches would continue in AWS, and cost calls."""

    def steps() -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    arn = run_in_steps(stack, steps())
    with pytest.raises(KeyboardInterrupt):
        follow(stack.deployment, arn)

    assert stack.step_functions.stopped == [(arn, "Stopped", "Stopped by Ctrl-C in `traffic run`.")]
    assert capsys.readouterr().err == "\nStopped run-1. Nothing that was stored is lost. The next run continues.\n"
    assert stack.saves == 1


def test_the_name_of_an_execution_holds_when_it_was_started(stack: Stack) -> None:
    """A person who looks for a run in the console knows its time, not its number."""
    arn = start_execution(stack.deployment, {"date": "2026-11-20"})

    [(name, payload)] = stack.step_functions.started
    assert arn.endswith(f":{name}")
    assert re.fullmatch(r"manual-20\d{6}T\d{6}Z-[0-9a-f]{4}", name)
    assert payload == {"date": "2026-11-20"}


def test_the_input_is_empty_or_a_day(stack: Stack) -> None:
    """The definition accepts both."""
    assert run_input(stack.deployment) == {}
    assert run_input(stack.deployment, date="2026-11-20") == {"date": "2026-11-20"}


def test_a_replay_sends_what_event_bridge_would_send(stack: Stack) -> None:
    """The definition must treat a replay like a scheduled run."""
    event = run_input(stack.deployment, at="2026-11-20T09:00:00Z")

    region, account = MACHINE.split(":")[3:5]
    assert UUID(event.pop("id"))
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": "2026-11-20T09:00:00Z",
        "region": region,
        "resources": [f"arn:aws:events:{region}:{account}:rule/RuleGetRepoTraffic"],
        "detail": {},
    }


@pytest.mark.parametrize(
    ("arguments", "set_to", "payload"),
    [
        ([], [], {}),
        (["--date", "2026-11-20"], [], {"date": "2026-11-20"}),
        (
            ["--at", "2026-11-20T10:00:00+01:00"],
            [("https://api.github.com", "2026-11-20T09:00:00Z")],
            "2026-11-20T09:00:00Z",
        ),
    ],
)
def test_the_command_starts_a_run_and_follows_it(
    stack: Stack, arguments: list[str], set_to: list[tuple[str, str]], payload: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--at` sets the time of the simulated GitHub first, and sends EventBridge's event of that time in UTC."""
    times: list[tuple[str, str]] = []
    checked: list[bool] = []
    monkeypatch.setattr("cli.commands.run.deployed", lambda _target: nullcontext(stack.deployment))
    monkeypatch.setattr("cli.commands.run.set_time", lambda *given: times.append(given))
    monkeypatch.setattr("cli.commands.run.refuse_real_github", lambda: checked.append(True))
    stack.step_functions.on_look = lambda execution: execution.update(status="SUCCEEDED")

    assert main(["run", *arguments]) == 0

    [(_, started)] = stack.step_functions.started
    assert started.get("time", started) == payload
    assert times == set_to
    assert len(checked) == len(set_to)


@pytest.mark.parametrize(
    ("environment", "arguments", "opened"),
    [
        ({}, ["--or-demo"], "demonstration"),
        ({}, [], "deployed"),
        ({"GITHUB_TOKEN": "x"}, ["--or-demo"], "deployed"),
        ({"GITHUB_API_URL": "http://127.0.0.1:9"}, ["--or-demo"], "deployed"),
    ],
)
def test_the_demonstration_runs_only_if_it_is_asked_for_and_no_token_is_set(  # noqa: PLR0913 - the case's parameters
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    environment: dict[str, str],
    arguments: list[str],
    opened: str,
) -> None:
    """`make run` asks for it; cron, which types `traffic run`, must never capture a demonstration."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_TOKEN", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    steps: list[str] = []

    def open_as(name: str) -> Callable[..., Any]:
        def opened_as(*_target: Target) -> Any:
            steps.append(name)
            return nullcontext(stack.deployment)

        return opened_as

    for name in ("demonstration", "deployed"):
        monkeypatch.setattr(f"cli.commands.run.{name}", open_as(name))
    stack.step_functions.on_look = lambda execution: execution.update(status="SUCCEEDED")

    assert main(["run", *arguments]) == 0
    assert steps == [opened]


def test_the_stack_in_aws_has_no_demonstration(capsys: pytest.CaptureFixture[str]) -> None:
    """It has a token of its own, or the placeholder."""
    assert main(["run", "--aws", "--or-demo"]) == 2
    assert main(["demo", "--aws"]) == 2

    assert [line.removeprefix("traffic: error: ") for line in capsys.readouterr().err.splitlines()] == [
        "--or-demo is for this machine, and the stack in AWS has its own token: leave --or-demo out.",
        "--aws: the demonstration runs on this machine only; leave --aws out.",
    ]


def test_the_commands_that_the_demonstration_prints_lead_to_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user with a token would otherwise read their own history."""
    shown = replace(stack.deployment, before="GITHUB_TOKEN= ")
    monkeypatch.setattr("cli.commands.demonstrate.demonstration", lambda: nullcontext(shown))
    stack.step_functions.on_look = lambda execution: execution.update(status="SUCCEEDED")

    assert main(["demo"]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == (
        "Table:      GITHUB_TOKEN= .venv/bin/traffic export --format csv"
    )


@contextmanager
def server(status: int) -> Iterator[tuple[str, list[tuple[str, Any, str | None]]]]:
    """Answer with one status on loopback, and record what was posted."""
    posted: list[tuple[str, Any, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.append((self.path, body, self.headers["Authorization"]))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Stay quiet."""

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}", posted
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def test_the_time_of_a_server_on_loopback_is_set_without_the_token() -> None:
    """The path is at the server's root, also if the API is below /api/v3."""
    with server(204) as (url, posted):
        set_time(f"{url}/api/v3", "2026-11-20T09:00:00Z")

    assert posted == [("/_at", {"at": "2026-11-20T09:00:00Z"}, None)]


def test_a_server_without_this_path_is_used_with_its_own_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Any server with GitHub's API is accepted, for example a mock of the official description."""
    with server(404) as (url, _posted):
        set_time(url, "2026-11-20T09:00:00Z")

    assert capsys.readouterr().err == (
        f"The time of {url} cannot be set (404 for POST /_at): the run uses the server's own time.\n"
    )


def test_a_server_that_does_not_answer_is_one_clear_message() -> None:
    """Without this check, the run would fail minutes later, after all its retries."""
    with server(204) as (url, _posted):
        pass

    with pytest.raises(CommandError) as raised:
        set_time(url, "2026-11-20T09:00:00Z")
    assert str(raised.value) == f"No server answers at GITHUB_API_URL '{url}': start it, then try again."


@pytest.mark.parametrize("arguments", [("run", "-q"), ("--quiet", "run")])
def test_a_quiet_run_prints_its_summary_only(
    stack: Stack,
    slept: list[float],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    """The summary was asked for; progress and hints are noise in a scheduler's mail."""

    def end(execution: dict[str, Any]) -> None:
        stack.note(summary_key(execution["name"]), {"subject": "all well", "message": "Healthy."})
        execution["status"] = "SUCCEEDED"

    stack.step_functions.on_look = end
    monkeypatch.setattr("cli.commands.run.deployed", lambda _target: nullcontext(stack.deployment))

    assert main(arguments) == 0

    assert capsys.readouterr() == ("Healthy.\n", "")
    assert slept == []
