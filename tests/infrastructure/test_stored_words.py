"""Promise: words that are stored, or that somebody matches, stay as they are when the English around them changes.

They are in archives, tables, alarms, dashboards, mail filters and the scripts of users. The lists are literal on
purpose: a change here changes the data of everybody who runs this system.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.store_traffic import receipts
from lambdas.summarize_run import outcome
from simulated_github import SimulatedGitHub, faults
from tests.infrastructure.conftest import Template
from tests.unit.handlers import HANDLERS, Account, account, logged, records
from tests.unit.whole_run import metrics_in, run
from traffic import contract, errors
from traffic.github import answers
from traffic.github.tokens import ANYONE
from traffic.record.archive import kept_headers
from traffic.record.merge import Day, Entry, Name, item_of_day, item_of_entry, item_of_snapshot, own_key, pointer_key
from traffic.record.notes import Note
from traffic.record.reports import read_statement

# Outcomes are in archive objects, receipts, `refusals` of RepoTrafficRepositories, logs and mails.
OUTCOMES = {
    "captured",
    "failed",
    "token not authorized for the organization",
    "no push access",
    "token lacks Administration (read)",
    "token lives longer than the organization allows",
    "address not on the organization's IP allow list",
    "access blocked by GitHub",
    "gone or hidden",
    "refused",
}

# The definition's Retry, alarms and mails name them.
ERRORS = {
    "GitHubUnavailableError",
    "GitHubAuthError",
    "GitHubRejectionError",
    "GitHubLimitError",
    "TokenUnavailableError",
    "RecordError",
    "RunStoppedError",
    "InvalidInputError",
    "InvalidSettingError",
    "TableBusyError",
    "ArchiveBusyError",
    "IdentityConflictError",
}

# What travels between the states, and what is kept in the bucket.
KEYS = {
    "Run": {"id", "started", "deadline", "date", "arn"},
    "Redriven": {"RedriveTime"},
    "Repository": {"id", "name", "endpoints", "passes"},
    "Share": {"children", "calls"},
    "Lane": {"last", "width", "read"},
    "Place": {"part"},
    "Batch": {"repositories", "key", "pauses", "owner", "share", "lane", "at", "minute"},
    "ChildState": {"RedriveTime", "run", "batch", "parent", "resume_at", "problem"},
    "TokenSaid": {"expires", "limit", "remaining", "refused", "login", "minute"},
    "ListedSoFar": {"listed", "left_out"},
    "VersionEnd": {"deprecated", "sunset"},
    "Listing": {
        "owner", "next", "parts", "pauses", "listed_at", "tokens", "hidden_organizations", "version_end", "missing",
        "globs", "found", "unselected",
    },
    "Manifest": {"bucket", "key", "at_once", "batches", "repositories", "not_due", "held"},
    "RunState": {"RedriveTime", "run", "input", "listing", "resume_at", "manifest", "problem"},
    "Summary": {"run", "outcome", "error", "kind", "wanted", "subject", "message", "cause"},
    "ArchivedAnswer": {
        "run", "repo_id", "repo", "endpoint", "captured_at", "status", "headers", "body", "outcome"
    },
    "ListedPage": {"run", "owner", "url", "captured_at", "status", "headers", "body"},
    "ImportedHistory": {"source", "files", "repo_id", "repo", "imported_at", "new", "days", "snapshots"},
    "Recent": {"day", "views", "before", "weeks"},
    "WindowEnd": {"day", "behind"},
    "Receipt": {
        "id", "name", "repo_name", "answered", "outcome", "detail", "items_changed", "lowered", "newest_day", "recent",
        "ends",
    },
}  # fmt: skip

# By the name of the function in contract.py, what it returns for a run `a/b`, a day, an owner, a part.
PLACES = {
    "archive_prefix": ("answers/capture_date=2026-11-20/", ("2026-11-20",)),
    "listings_prefix": ("listings/capture_date=2026-11-20/", ("2026-11-20",)),
    "run_folder": ("a%2Fb", ("a/b",)),
    "manifest_key": ("runs/a%2Fb/manifest.json", ("a/b",)),
    "lanes_key": ("runs/a%2Fb/lanes.json", ("a/b",)),
    "listing_key": ("runs/a%2Fb/listing/00012.json", ("a/b", 12)),
    "excluded_prefix": ("runs/a%2Fb/excluded/", ("a/b",)),
    "excluded_key": ("runs/a%2Fb/excluded/00012.json", ("a/b", 12)),
    "not_due_key": ("runs/a%2Fb/not-due.json", ("a/b",)),
    "receipts_prefix": ("runs/a%2Fb/receipts/", ("a/b",)),
    "problems_prefix": ("runs/a%2Fb/problems/", ("a/b",)),
    "stopped_prefix": ("runs/a%2Fb/stopped/", ("a/b",)),
    "stopped_key": ("runs/a%2Fb/stopped/%2A.json", ("a/b", "*")),
    "summary_key": ("runs/a%2Fb/summary.json", ("a/b",)),
}

METRICS = {
    ("github", "GitHubCalls"),
    ("github", "RemainingBudget"),
    ("github", "WaitedSeconds"),
    ("summarize_run", "Captured"),
    ("summarize_run", "Failed"),
    ("summarize_run", "NewestDayAgeDays"),
    ("summarize_run", "TokenDaysLeft"),
    ("summarize_run", "TokenExpiring"),
    ("summarize_run", "EmailSubscriptions"),
}

STATES = [
    "Name run", "List repositories", "All listed?", "Wait to list", "Capture repositories", "Summarize run",
    "Write plain summary", "Summary wanted?", "Publish summary", "Run succeeded?", "Finish run", "Fail run",
    "Anything to fetch?", "Fetch traffic", "Anything fetched?", "Store traffic", "All fetched?", "Wait for rate limit",
    "More batches?", "Next batch", "Finish batch", "Report failure",
]  # fmt: skip

KEPT_HEADERS = {
    "date", "etag", "link", "location", "retry-after", "gh-limited-by", "x-github-sso", "x-github-request-id",
    "x-github-api-version-selected", "x-github-enterprise-version", "deprecation", "sunset",
    "x-accepted-github-permissions", "github-authentication-token-expiration", "x-ratelimit-limit",
    "x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset", "x-ratelimit-resource",
}  # fmt: skip


def texts(module: object) -> set[str]:
    """Return the texts that are constants of a module."""
    return {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


def test_outcomes_stay() -> None:
    """An outcome that changes is another outcome: a refusal of yesterday would be reported as new."""
    assert texts(answers) >= OUTCOMES
    assert texts(outcome) >= {"not reached"}
    assert texts(receipts) >= {"rows belong to another repository"}


def test_error_classes_stay() -> None:
    """Step Functions sees the name of the class and nothing else."""
    assert {name for name, value in vars(errors).items() if isinstance(value, type)} == ERRORS


@pytest.mark.parametrize("name", sorted(KEYS))
def test_keys_of_payloads_and_objects_stay(name: str) -> None:
    """A run that is under way during an update, and every object in the archive, has the old keys."""
    shape = getattr(contract, name)

    assert shape.__required_keys__ | shape.__optional_keys__ == KEYS[name]


def test_every_payload_and_object_is_listed_here() -> None:
    """A new one comes with its keys."""
    assert {name for name, value in vars(contract).items() if hasattr(value, "__required_keys__")} == KEYS.keys()


@pytest.mark.parametrize("name", sorted(PLACES))
def test_places_in_the_bucket_stay(name: str) -> None:
    """Objects that are stored elsewhere are found by nobody."""
    place, given = PLACES[name]

    assert getattr(contract, name)(*given) == place


def test_places_of_imports_and_notes_stay() -> None:
    """Both are written by people's commands, and are never made again."""
    assert contract.import_key("2026-11-20T09:00:00Z", "ab", new=True) == (
        "imports/import_date=2026-11-20/20261120T090000Z-import-ab.jsonl.gz"
    )
    assert contract.import_key("2026-11-20T09:00:00Z", "ab", new=False) == (
        "imports/import_date=2026-11-20/import-20261120T090000Z-ab.jsonl.gz"
    )
    assert Note("octo/docs", "2026-11-20", "launch").key == ("notes/octo/docs/2026-11-20-abfc412ce6e530df.json")
    assert set(vars(Note("octo/docs", "2026-11-20", "launch"))) == {"repo_name", "day", "text"}


def test_attributes_of_days_stay() -> None:
    """They are those of the first version, what says that a day was returned completely, and where imports are from."""
    day = Day(
        {"views-count": 1, "views-uniques": 1, "clones-count": 1, "clones-uniques": 1}, frozenset({"views", "clones"})
    )

    assert contract.METRICS == ("views-count", "views-uniques", "clones-count", "clones-uniques")
    assert item_of_day(day).keys() == {*contract.METRICS, "views-complete", "clones-complete"}
    imported = Day({"views-count": 1, "clones-count": 1}, sources={"views-count": "csv"})
    assert item_of_day(imported)["sources"] == {"views-count": "csv"}


def test_attributes_of_repositories_stay() -> None:
    """The keys of rows among them: a name that an id was first seen under, or with the id behind it."""
    entry = Entry(
        {"octo/docs": Name("2026-11-19T09:00:00Z", "2026-11-20")},
        "2026-11-19",
        "2026-11-20",
        {"failed": "2026-11-18"},
        {"views": (("2026-11-06", "2026-11-19"),), "clones": (("2026-11-06", "2026-11-19"),)},
        {"views": "2026-11-19", "clones": "2026-11-18"},
        {"failed": "2026-11-17"},
    )

    assert item_of_entry(entry) == {
        "names": {"octo/docs": {"first": "2026-11-19T09:00:00Z", "last": "2026-11-20"}},
        "newest-day": "2026-11-19",
        "captured-on": "2026-11-20",
        "refusals": {"failed": "2026-11-18"},
        "covered": {"views": ["2026-11-06/2026-11-19"], "clones": ["2026-11-06/2026-11-19"]},
        "active": {"views": "2026-11-19", "clones": "2026-11-18"},
        "refused-before": {"failed": "2026-11-17"},
    }
    assert pointer_key("Octo/Docs") == "name octo/docs"
    assert own_key("octo/docs", 2, "1") == "octo/docs~2"


def test_attributes_of_snapshots_stay() -> None:
    """The lists of referrers and paths keep GitHub's own words for their columns."""
    seen = {
        "views": read_statement("views", {"count": 2, "uniques": 1}, "2026-11-20T09:00:00Z"),
        "clones": read_statement("clones", {"count": 2, "uniques": 1}, "2026-11-20T09:00:00Z"),
        "referrers": read_statement(
            "referrers", [{"referrer": "Google", "count": 2, "uniques": 1}], "2026-11-20T09:00:00Z"
        ),
        "paths": read_statement(
            "paths", [{"path": "/octo/docs", "title": "docs", "count": 2, "uniques": 1}], "2026-11-20T09:00:00Z"
        ),
    }
    item = item_of_snapshot(seen)  # type: ignore[arg-type]  # every body above has its totals

    assert item == {
        "captured-at": dict.fromkeys(("views", "clones", "referrers", "paths"), "2026-11-20T09:00:00Z"),
        "views-count": 2,
        "views-uniques": 1,
        "clones-count": 2,
        "clones-uniques": 1,
        "referrers": [{"referrer": "Google", "count": 2, "uniques": 1}],
        "paths": [{"path": "/octo/docs", "title": "docs", "count": 2, "uniques": 1}],
    }


def test_endpoints_and_the_name_of_the_token_for_everybody_stay() -> None:
    """The first are in archive and tables, the second is in the secret and in listings."""
    assert contract.ENDPOINTS == ("views", "clones", "referrers", "paths")
    assert ANYONE == "*"


def test_states_stay(definition: Mapping[str, Any]) -> None:
    """People know them from the console, and a run that is redriven finds its state by the name."""
    child = definition["States"]["Capture repositories"]["ItemProcessor"]["States"]

    assert [*definition["States"], *child] == STATES
    assert definition["States"]["Capture repositories"]["Label"] == "CaptureRepositories"
    assert [handler.STATE for handler in HANDLERS] == [
        "List repositories", "Fetch traffic", "Store traffic", "Summarize run"
    ]  # fmt: skip


def test_the_mail_begins_as_people_filter_it(
    aws: Account, github: SimulatedGitHub, definition: Mapping[str, Any]
) -> None:
    """Mail programs sort by the beginning of the subject; the rule for bad ends and the plain summary write it, too."""
    summary = run(aws)
    github.refuse("octo/docs", faults.not_found())
    github.refuse("octo/site", faults.not_found())
    failed = run(aws, "second")

    assert summary["subject"].startswith("GitHub traffic 20")
    assert ": 2 repositories captured" in summary["subject"]
    assert ": FAILED, NothingCapturedError" in failed["subject"]
    assert {(each["outcome"], each["kind"]) for each in (summary, failed)} == {
        ("succeeded", "digest" if datetime.now(UTC).weekday() == 0 else "healthy"),
        ("failed", "problem"),
    }
    assert definition["States"]["Write plain summary"]["Parameters"]["subject"].startswith("GitHub traffic run FAILED")


def test_what_a_run_writes_has_the_listed_words(aws: Account, github: SimulatedGitHub, log: io.StringIO) -> None:
    """Tables, objects and logs of a run with a repository that is refused."""
    github.refuse("octo/site", faults.not_found())
    run(aws)

    assert keys_of(aws.days().values()) == {
        "repo-name", "timestamp", "repo-id", *contract.METRICS, "views-complete", "clones-complete"
    }  # fmt: skip
    assert keys_of(aws.repositories().values()) == {
        "repo-id", "repo-name", "names", "newest-day", "captured-on", "refusals", "covered", "active", "repo-ids",
        "owner-id",
    }  # fmt: skip
    assert keys_of(aws.snapshots().values()) == {
        "repo-id", "captured-on", "captured-at", *contract.METRICS, "referrers", "paths", "views-until", "clones-until"
    }  # fmt: skip
    assert keys_of(records(log)) >= {
        "level", "message", "timestamp", "run", "state", "repository", "outcome", "endpoint", "status", "changed",
        "lowered", "captured", "listed", "remaining", "answers", "key", "parts",
    }  # fmt: skip


def test_what_is_kept_of_headers_stays() -> None:
    """They are in every line of the archive, and decide how old answers are read."""
    assert kept_headers(dict.fromkeys([*KEPT_HEADERS, "server"], "")).keys() == KEPT_HEADERS


def test_metrics_stay(aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    """Alarms and the dashboard name them; a metric under another name is another metric, without a past."""
    github.add_fault(faults.retry_after(600), endpoint="views", count=1)
    run(aws)
    written = metrics_in(capsys.readouterr().out)

    assert {(dict(each.dimensions)["service"], each.name) for each in written} == METRICS
    assert {each.namespace for each in written} == {"GitHubTrafficCapture"}


def test_the_dashboard_searches_the_fields_that_are_logged(template: Template) -> None:
    """A field under another name would be an empty column."""
    body = json.dumps(template.only("AWS::CloudWatch::Dashboard"))

    assert "fields @timestamp, run, state, repository, outcome, endpoint, status, message" in body
    assert "filter level in ['WARNING', 'ERROR', 'CRITICAL']" in body


def keys_of(items: Iterable[Any]) -> set[str]:
    """Return every key that some of the items have."""
    return {key for item in items for key in item}


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """A GitHub with two repositories, and a token that expires."""
    with SimulatedGitHub(
        repositories=["octo/docs", "octo/site"], regime="whole-days", token_expires="2099-01-01 00:00:00 UTC"
    ) as simulated:
        yield simulated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Account]:
    """An account whose functions ask that GitHub."""
    with account(monkeypatch, github.url) as made:
        yield made


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """The stream that the functions log to."""
    return logged(monkeypatch)
