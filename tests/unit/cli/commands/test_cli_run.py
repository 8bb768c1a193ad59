"""`traffic run`: what it starts, what it shows, and how it ends."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from cli.commands.run import follow, run_input, tell_time
from cli.runs.executions import start_execution
from cli.terminal import CommandError
from tests.unit.cli_stack import MACHINE, Stack, fresh_stack
from traffic.contract import ENDPOINTS, manifest_key, receipts_prefix, summary_key

stack = pytest.fixture(fresh_stack)


def receipt(id_: int, outcome: str = "captured", answered: tuple[str, ...] = ENDPOINTS) -> dict[str, Any]:
    """Make the part of a receipt that progress is read from."""
    return {"id": id_, "name": f"octo/{id_}", "answered": list(answered), "outcome": outcome}


def going_on(stack: Stack, steps: Iterator[None]) -> str:
    """Let an execution go on one step at each look."""
    stack.step_functions.on_look = lambda _execution: next(steps, None)
    arn: str = stack.step_functions.execution("run-1", "RUNNING")["executionArn"]
    return arn


def test_a_run_is_shown_until_it_ends_and_then_its_summary(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary is the e-mail's; exit code 0 says that the run succeeded."""

    def steps() -> Iterator[None]:
        yield
        stack.note(manifest_key("run-1"), [{"repositories": [{"id": 1}, {"id": 2}]}])
        stack.note(receipts_prefix("run-1") + "a.json", [receipt(1), receipt(2, "no push access", ())])
        stack.note(summary_key("run-1"), {"subject": "1 of 2", "message": "1 captured\n  octo/2: no push access"})
        stack.step_functions.executions[0]["status"] = "SUCCEEDED"
        yield

    code = follow(stack.deployment, going_on(stack, steps()))

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[1:3] == ["listing repositories", "1 of 2 repositories captured, 1 failed"]
    assert "  octo/2: no push access" in lines
    assert f"Execution:  {sys.argv[0]} executions run-1" in lines
    assert stack.saves == 1


def test_a_repository_counts_once_all_its_answers_are_stored(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A batch that met the rate limit half-way leaves two receipts for one repository."""

    def steps() -> Iterator[None]:
        stack.note(manifest_key("run-1"), [{"repositories": [{"id": 1}]}])
        stack.note(receipts_prefix("run-1") + "a.json", [receipt(1, answered=("views",))])
        yield
        stack.note(receipts_prefix("run-1") + "b.json", [receipt(1, answered=("clones", "referrers", "paths"))])
        stack.step_functions.executions[0]["status"] = "SUCCEEDED"
        yield

    follow(stack.deployment, going_on(stack, steps()))

    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["0 of 1 repositories captured", "1 of 1 repositories captured"]


def test_a_failed_run_without_a_summary_shows_error_and_cause(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A run may die before it comes to a summary; its reason must not be hidden in a log."""
    execution = stack.step_functions.execution("run-1", "FAILED", error="GitHubAuthError", cause="Bad credentials")

    code = follow(stack.deployment, execution["executionArn"])

    assert code == 1
    assert "GitHubAuthError: Bad credentials" in capsys.readouterr().err


def test_an_interruption_stops_the_run_and_saves(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that nobody looks at any more would go on in AWS, and cost calls."""

    def steps() -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    arn = going_on(stack, steps())
    with pytest.raises(KeyboardInterrupt):
        follow(stack.deployment, arn)

    assert stack.step_functions.stopped == [arn]
    assert "What is stored stays" in capsys.readouterr().err
    assert stack.saves == 1


def test_an_execution_is_named_after_when_it_was_started(stack: Stack) -> None:
    """Somebody who looks for a run in the console knows when it was, not its number."""
    arn = start_execution(stack.deployment, {"date": "2026-11-20"})

    [(name, payload)] = stack.step_functions.started
    assert arn.endswith(name)
    assert name.startswith("manual-20")
    assert payload == {"date": "2026-11-20"}


def test_a_replay_sends_what_event_bridge_would_send(stack: Stack) -> None:
    """The definition must not be able to tell a replay from a scheduled run."""
    event = run_input(stack.deployment, at="2026-11-20T09:00:00Z")

    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["time"] == "2026-11-20T09:00:00Z"
    assert event["account"] == MACHINE.split(":")[4]
    assert set(event) == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip


@contextmanager
def server(status: int) -> Iterator[tuple[str, list[tuple[str, Any, str | None]]]]:
    """Serve one status on loopback, and note what was posted."""
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


def test_the_server_on_loopback_is_told_the_time_without_the_token() -> None:
    """The control lies at the server's root, also where the API lies below /api/v3."""
    with server(204) as (url, posted):
        tell_time(f"{url}/api/v3", "2026-11-20T09:00:00Z")

    assert posted == [("/_at", {"at": "2026-11-20T09:00:00Z"}, None)]


def test_a_server_without_such_a_control_is_used_with_its_own_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Any server that speaks GitHub's API will do, a mock of the official description for instance."""
    with server(404) as (url, _posted):
        tell_time(url, "2026-11-20T09:00:00Z")

    assert "cannot be told the time" in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_named() -> None:
    """Without it, the run would only fail minutes later, after all its retries."""
    with server(204) as (url, _posted):
        pass

    with pytest.raises(CommandError, match=url):
        tell_time(url, "2026-11-20T09:00:00Z")
