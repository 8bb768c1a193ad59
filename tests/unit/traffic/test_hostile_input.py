"""Hostile input: strangers choose names, paths, titles and referrers, and another server can answer as GitHub."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from cli import terminal
from cli.export_formats import Sheet, write_csv
from lambdas.summarize_run.headline import Facts, subject
from lambdas.summarize_run.message import message
from lambdas.summarize_run.outcome import Result
from simulated_github import SimulatedGitHub, faults
from simulated_github.account import SimulatedRepository
from simulated_github.faults import Fault
from simulated_github.replies import Reply
from simulated_github.sources import SeededTraffic
from simulated_github.windows import WindowRules
from tests.unit.handlers import Account, account, child
from traffic.errors import GitHubUnavailableError
from traffic.github.answers import CAPTURED, NO_PUSH_ACCESS

NAMES = Sheet("names", {"repo-name": "VARCHAR", "views-count": "BIGINT"})

EVIL = [
    "octo/a\nSubject: forged",
    "octo/a\r\n\r\nThe run succeeded.",
    "octo/\x1b[2J\x1b]0;title\x07",
    "octo/\u202egnp.exe",
    "octo/\u2028line",
    "octo/\x9b31m",
    "octo/<script>alert(1)</script>",
    "octo/=HYPERLINK()",
    "octo/..",
    "octo/\U0001f4a9",
]

HARMFUL = "\n\r\x1b\x07\x9b\u202e\u2028"

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]


class Evil(SeededTraffic):
    """Returns paths, titles and referrers that are meant to do harm."""

    def paths(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:  # noqa: ARG002 - they do not depend on the time
        """Return the answer to `/traffic/popular/paths`."""
        return [{"path": text, "title": text, "count": 1, "uniques": 1} for text in EVIL[:5]]

    def referrers(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:  # noqa: ARG002
        """Return the answer to `/traffic/popular/referrers`."""
        return [{"referrer": text, "count": 1, "uniques": 1} for text in [*EVIL[5:], "../../etc/passwd"]]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Make an account whose GitHub returns such texts."""
    with (
        SimulatedGitHub(repositories=["octo/docs"], source=Evil(0, WindowRules())) as github,
        account(monkeypatch, github.url) as made,
    ):
        yield made


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_name_forges_no_line_of_an_email_and_moves_no_cursor(name: str) -> None:
    """People read summaries in mail programs and terminals: a name must stay text in its own line."""
    results = [Result(1, name, outcome=NO_PUSH_ACCESS, detail=f"403: {name}"), Result(2, "octo/b", outcome=CAPTURED)]
    state: Any = {"run": {"id": name, "started": "2026-11-20T09:00:00Z"}, "listing": {"missing": [name]}}
    facts = Facts(state, results, "GitHubAuthError", name)
    text = message(facts, ["link"])

    assert not set(text.replace("\n", "")) & set(HARMFUL)
    assert "Subject: forged" not in text.splitlines()
    assert text.splitlines().count("Healthy: everything was captured.") == 0
    assert not set(subject(replace(facts, error=name), name)) & set(HARMFUL)


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_name_stays_in_its_cell_of_a_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables and errors have one line for each fact."""
    terminal.table(["name", "days"], [[name, 1]])

    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert not set(output.rstrip("\n")) & set(HARMFUL)


@pytest.mark.parametrize("name", [*FORMULAS, *(f"{formula}/x" for formula in FORMULAS)])
def test_a_hostile_name_is_no_formula_of_a_spreadsheet(name: str) -> None:
    """A spreadsheet runs a text that begins like a formula; an apostrophe before it prevents this.

    Source:
        https://owasp.org/www-community/attacks/CSV_Injection
    """
    output = io.StringIO()
    write_csv(NAMES, [(name, 1)], output)
    (_, (cell, *_)) = csv.reader(io.StringIO(output.getvalue()))

    assert cell[0] == "'"
    assert cell[1:].strip() == name.strip()


def test_an_ordinary_name_is_exported_as_it_is() -> None:
    """A program that reads the export must find the keys of the table."""
    output = io.StringIO()
    write_csv(NAMES, [("octo/docs", 1)], output)

    assert output.getvalue().splitlines()[1] == "octo/docs,1"


def test_hostile_paths_titles_and_referrers_are_kept_as_text_and_reach_no_key(aws: Account) -> None:
    """They are data: unchanged in archive and table, and never a part of an object's name."""
    aws.capture("octo/docs")
    ((_, snapshot),) = aws.snapshots().items()
    keys = [found["Key"] for found in aws.s3.list_objects_v2(Bucket="archive")["Contents"]]

    assert [row["referrer"] for row in snapshot["referrers"]] == [*EVIL[5:], "../../etc/passwd"]
    assert [row["title"] for row in snapshot["paths"]] == EVIL[:5]
    assert not [key for key in keys if ".." in key or set(key) & set(HARMFUL + "<>")]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("octo/../../x", "/repos/octo/../../x"),  # decoded: it is one part of the path
        ("octo/a?b#c", "/repos/octo/a?b#c"),
        ("../x", "/repositories/1"),
        ("octo/..", "/repositories/1"),
    ],
)
def test_a_hostile_repository_name_leads_no_request_and_no_key_elsewhere(
    monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    """The name is sent as one part of a path, or as the id if it means the folder above; no key contains it."""
    with SimulatedGitHub(repositories=["octo/docs"]) as github, account(monkeypatch, github.url) as aws:
        state = aws.capture(name)
        (call,) = github.calls
        keys = [found["Key"] for found in aws.s3.list_objects_v2(Bucket="archive")["Contents"]]

    assert state["batch"]["repositories"] == []
    assert call.path == f"{path}/traffic/views?per=day"
    assert not [key for key in keys if ".." in key]


@pytest.mark.parametrize("run_id", ["..", ".", "../../x", "a/../b", "\u202e", "x" * 80])
def test_a_hostile_run_name_writes_only_below_its_own_folder(aws: Account, run_id: str) -> None:
    """An execution may be called `..`; on a disk that would be the folder above.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (name)
    """
    state = aws.list_repositories(run_id=run_id)
    aws.capture("octo/docs", run_id=run_id)
    aws.summarize(state)
    keys = [found["Key"] for found in aws.s3.list_objects_v2(Bucket="archive")["Contents"]]

    assert all(len(key.split("/")) == 3 for key in keys if key.startswith("answers/") or key.endswith(".jsonl.gz"))
    for key in keys:
        assert key.startswith(("answers/", "listings/", "runs/"))
        assert not {"", ".", ".."} & set(key.split("/"))
        assert key.count("/") <= 3


@pytest.mark.parametrize("endpoint", ["views", "paths"])
@pytest.mark.parametrize("body", ["oversized", "nested", "nested rows"])
def test_an_oversized_or_deeply_nested_body_is_not_an_answer(
    monkeypatch: pytest.MonkeyPatch, body: str, endpoint: Any
) -> None:
    """It costs one repository one pass, but does not exhaust a function's memory or stack."""
    spoilt = {
        "oversized": faults.oversized_body(9 * 1024 * 1024),
        "nested": faults.deeply_nested(),
        "nested rows": nested_rows(),
    }[body]
    with SimulatedGitHub(repositories=["octo/docs"]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(spoilt, endpoint=endpoint)
        try:
            state = aws.fetch(child("octo/docs"))
            assert state["batch"]["repositories"][0]["passes"] == 1
        except GitHubUnavailableError:
            assert endpoint == "views"  # nothing was answered


def nested_rows() -> Fault:
    """Replace a list of rows by a deep nest."""
    nest = b"[" * 50_000 + b"]" * 50_000
    return Fault("nested rows", lambda reply, _: Reply(200, b'{"views": ' + nest + b"}", dict(reply.headers)))


def test_a_listing_that_is_oversized_or_deeply_nested_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The definition's Retry asks again; the listing is not treated as empty."""
    for fault in (faults.oversized_body(9 * 1024 * 1024), faults.deeply_nested()):
        with SimulatedGitHub(repositories=["octo/docs"]) as github, account(monkeypatch, github.url) as aws:
            github.add_fault(fault, endpoint="list")
            with pytest.raises(GitHubUnavailableError):
                aws.list_repositories()


def test_a_deeply_nested_error_is_reported_by_its_beginning(aws: Account) -> None:
    """A refusal's text decides what it means, in any form."""
    problem = {"Error": "E", "Cause": "[" * 30_000}
    state: Any = {"run": {"id": "r", "started": "2026-11-20T09:00:00Z"}, "problem": problem}

    assert aws.summarize(state)["message"].startswith(f"The run failed: {'[' * 30_000} (E).\n")
