"""The pages of the listing are archived untouched and small, however the call that read them ends."""

import gzip
import json
import re
import shutil
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from lambdas.list_repos import page_archive as archiving
from lambdas.list_repos.page_archive import page_archive
from lambdas.shared.deployed_archive import archive
from simulated_github import SimulatedGitHub, faults
from simulated_github.faults import Fault
from simulated_github.replies import Reply
from simulated_github.representation import WORDS, repository_object
from tests.unit.handlers import Account, account
from tests.unit.lambdas.test_several_tokens import REPOSITORIES, SEEN, hold
from traffic.clock import to_text
from traffic.contract import RunState, manifest_key
from traffic.errors import ArchiveBusyError, GitHubAuthError, GitHubLimitError, GitHubUnavailableError
from traffic.github.answers import Answer
from traffic.record.archive import Archive, unpack

DOCUMENT = Path(__file__).parents[4] / "docs" / "archive.md"
AT = "2026-11-20T09:00:00Z"
NAMES = [f"octo/{number:03}" for number in range(250)]  # three pages


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub whose listing has three pages."""
    with SimulatedGitHub(repositories=NAMES, at=AT) as simulated:
        yield simulated


def watched(github: SimulatedGitHub) -> list[bytes]:
    """Return a list to which the body of each page is added, as GitHub sends it."""
    sent: list[bytes] = []

    def note(reply: Reply, _circumstances: object) -> Reply:
        sent.append(reply.body)
        return reply

    github.add_fault(Fault("watched", note), endpoint="list")
    return sent


def objects(aws: Account) -> dict[str, bytes]:
    """Read the archived listings, by key."""
    found = aws.s3.list_objects_v2(Bucket="archive", Prefix="listings/").get("Contents", [])
    return {each["Key"]: aws.s3.get_object(Bucket="archive", Key=each["Key"])["Body"].read() for each in found}


def pages(aws: Account) -> list[dict[str, Any]]:
    """Read the archived pages, in the order of the objects' names."""
    return [dict(line) for _, content in sorted(objects(aws).items()) for line in unpack(content)]


def listed_names(state: RunState) -> list[str]:
    """Return the names of the repositories in the run's manifest."""
    batches = archive().read_note(manifest_key(state["run"]["id"]))
    return sorted(repository["name"] for batch in batches or [] for repository in batch["repositories"])


def names_in(aws: Account) -> list[str]:
    """Return the names of the repositories on the archived pages."""
    return [repository["full_name"] for page in pages(aws) for repository in json.loads(page["body"])]


def test_every_page_is_archived_as_github_sent_it(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> None:
    """GitHub has no history of stars, forks and topics: what is not archived is lost."""
    sent = watched(github)
    with account(monkeypatch, github.url) as aws:
        aws.list_repositories()

        assert [page["body"].encode() for page in pages(aws)] == sent
        assert names_in(aws) == NAMES


def test_a_page_has_its_time_and_address(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> None:
    """A number of stars without its time is useless; the token must not be in any header."""
    with account(monkeypatch, github.url) as aws:
        aws.list_repositories()
        ((key, content),) = objects(aws).items()
        first, second, _ = pages(aws)

    assert re.fullmatch(r"listings/capture_date=2026-11-20/20261120T09000\dZ-run-1-[0-9a-f]{64}\.jsonl\.gz", key)
    assert (first["run"], first["owner"], first["status"]) == ("run-1", "*", 200)
    assert first["url"] == f"{github.url}/user/repos?per_page=100"
    assert second["url"] == f"{github.url}/user/repos?per_page=100&page=2"
    assert first["captured_at"].startswith("2026-11-20T09:00:0")
    assert {"date", "etag", "link", "x-ratelimit-remaining", "x-github-request-id"} <= first["headers"].keys()
    assert b"github_pat" not in gzip.decompress(content)


def test_a_page_is_archived_without_the_token_in_it(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> None:
    """GitHub lists private repositories with a token that reads their code, and the archive is never deleted."""
    github.change(NAMES[0], private=True)
    sent = watched(github)
    with account(monkeypatch, github.url) as aws:
        aws.list_repositories()
        (first, *_), ((_, content),) = pages(aws), objects(aws).items()

    token = json.loads(sent[0])[0]["temp_clone_token"]
    assert len(token) == 29
    assert token.encode() not in gzip.decompress(content)
    assert first["body"].encode() == sent[0].replace(token.encode(), b"")


def test_a_page_is_kept_with_the_owner_of_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tokens see different repositories, and `permissions` are those of the token."""
    with SimulatedGitHub(repositories=REPOSITORIES, token=SEEN) as github, account(monkeypatch, github.url) as aws:
        hold(aws, {"octo": "one", "*": "two"})
        aws.list_repositories()

        assert {page["owner"]: len(json.loads(page["body"])) for page in pages(aws)} == {"octo": 2, "*": 2}
        assert len(objects(aws)) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.server_error(), GitHubUnavailableError),
        (faults.malformed_json(), GitHubUnavailableError),
        (faults.html_200(), GitHubUnavailableError),
        (faults.bad_credentials(), GitHubAuthError),
        (faults.retry_after(60), GitHubLimitError),  # the run began long ago
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_pages_read_before_a_failure_are_kept(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, fault: Fault, error: type[Exception]
) -> None:
    """There may be no other listing on that day, and a call that raises returns nothing."""
    github.add_fault(fault, endpoint="list", first=3)
    with account(monkeypatch, github.url) as aws:
        with pytest.raises(error):
            aws.list_repositories()

        assert names_in(aws) == NAMES[:200]


def test_pages_read_before_a_limit_are_kept_and_the_others_after_it(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub
) -> None:
    """A limit is an answer, not an error: the state machine waits and goes on."""
    github.add_fault(faults.retry_after(60), endpoint="list", first=3, count=1)
    with account(monkeypatch, github.url) as aws:
        state = aws.list_repositories_from({"run": {"id": "run-1", "started": to_text(datetime.now(UTC))}, "input": {}})
        assert "resume_at" in state
        assert names_in(aws) == NAMES[:200]

        listed = aws.list_repositories_from(state)

        assert sorted(names_in(aws)) == NAMES
        assert listed_names(listed) == NAMES, "the run captures what both calls listed"


def test_pages_read_before_the_time_is_up_are_kept_and_the_next_call_keeps_the_others(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub
) -> None:
    """A long listing takes several calls; each archives its own pages, and no page twice."""
    left = iter([300.0, 300.0, 100.0, 99.9])  # 100 seconds are left for planning
    with account(monkeypatch, github.url) as aws:
        monkeypatch.setattr(
            "tests.unit.handlers.Context.get_remaining_time_in_millis", lambda _: next(left, 300.0) * 1000
        )
        state = aws.list_repositories()
        assert names_in(aws) == NAMES[:200]

        listed = aws.list_repositories_from(state)

        assert sorted(names_in(aws)) == NAMES
        assert len(objects(aws)) == 2
        assert listed_names(listed) == NAMES


def test_a_listing_that_is_tried_again_loses_no_page_and_repeats_it_under_its_own_time(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub
) -> None:
    """Two calls make two captures: neither replaces the other."""
    github.add_fault(faults.server_error(), endpoint="list", first=2, count=1)
    with account(monkeypatch, github.url) as aws:
        with pytest.raises(GitHubUnavailableError):
            aws.list_repositories()
        github.at("2026-11-20T09:00:30Z")
        aws.list_repositories()

        assert names_in(aws) == [*NAMES[:100], *NAMES]
        assert [page["captured_at"][:18] for page in pages(aws)] == ["2026-11-20T09:00:0", *["2026-11-20T09:00:3"] * 3]


def test_a_run_that_reads_no_page_archives_no_listing(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> None:
    """An empty object would mean that every repository had vanished."""
    github.add_fault(faults.server_error(), endpoint="list")
    with account(monkeypatch, github.url) as aws:
        with pytest.raises(GitHubUnavailableError):
            aws.list_repositories()

        assert objects(aws) == {}


def test_a_bucket_that_is_busy_makes_the_state_machine_try_again(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub
) -> None:
    """A listing that could not be archived must not look archived."""

    def busy(*_: object) -> None:
        raise ArchiveBusyError("SlowDown")

    with account(monkeypatch, github.url) as aws:
        monkeypatch.setattr(Archive, "put_listing", busy)
        with pytest.raises(ArchiveBusyError):
            aws.list_repositories()


def test_a_long_listing_becomes_several_objects_with_each_page_once(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub
) -> None:
    """The size of an object bounds the memory, for any number of repositories."""
    monkeypatch.setattr(archiving, "MOST_PACKED", 1)
    with account(monkeypatch, github.url) as aws:
        aws.list_repositories()

        assert len(objects(aws)) == 3
        assert sorted(names_in(aws)) == NAMES


def test_a_repository_takes_at_most_half_a_kilobyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 repositories then need 0.2 GB a year. Names, texts, topics and times vary like real ones."""
    luck = Random(7)  # noqa: S311 - not for secrets
    names = [f"{luck.choice(('octo-org', 'acme', 'zoo'))}/{'-'.join(luck.choices(WORDS, k=3))}-{n}" for n in range(900)]
    with SimulatedGitHub(repositories=names, at=AT) as github, account(monkeypatch, github.url) as aws:
        for name in names:
            github.change(name, topics=sorted(set(luck.choices(WORDS, k=luck.randint(0, 6)))))
        sent = watched(github)
        aws.list_repositories()
        ((_, content),) = objects(aws).items()

    assert 5_000 < sum(map(len, sent)) / len(names) < 6_500  # GitHub's own have about 5,700 bytes
    assert len({json.dumps(one["description"]) for body in sent for one in json.loads(body)}) > len(names) / 2
    assert len(content) / len(names) < 500


def test_memory_does_not_grow_with_the_listing() -> None:
    """The pages of 100,000 repositories need 600 MB, more than the function has."""
    written: list[int] = []

    class Bucket:
        def put_listing(self, _run: str, _at: str, content: bytes) -> None:
            written.append(len(content))

    page: Callable[[int], bytes] = lambda number: b'{"id": %d}' % number * 60_000  # noqa: E731 - 600 KB
    tracemalloc.start()
    try:
        with page_archive(Bucket(), "run-1") as keep:  # type: ignore[arg-type]  # it has the one method that is used
            for number in range(50):
                keep("*", "/user/repos", AT, Answer(200, {}, page(number)))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(written) == 1
    assert most < 5_000_000  # of 30 MB


def downloaded(aws: Account, folder: Path) -> Path:
    """Do what `aws s3 sync` does."""
    for key, content in objects(aws).items():
        (folder / "archive" / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / "archive" / key).write_bytes(content)
    return folder


def section() -> str:
    """Return the document's section about listings."""
    return DOCUMENT.read_text(encoding="utf-8").partition("## The listings")[2].partition("\n## ")[0]


def truth(github: SimulatedGitHub, repository: str) -> dict[str, Any]:
    """Return GitHub's numbers of a repository."""
    return repository_object(github.github.account, github.github.account.get(repository), github.url)


def test_the_documented_query_returns_the_numbers_of_each_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """People who read the listings without this system must find GitHub's numbers once for each day."""
    (query,) = re.findall(r"```sql\n(.*?)```", section(), re.DOTALL)
    with SimulatedGitHub(repositories=["octo/a", "octo/b"], at=AT) as github, account(monkeypatch, github.url) as aws:
        for at in (AT, "2026-11-20T09:10:00Z", "2026-11-21T09:00:00Z"):
            github.at(at)
            aws.list_repositories()
        monkeypatch.chdir(downloaded(aws, tmp_path))
        answer = duckdb.connect().execute(query)
        found = [dict(zip((column[0] for column in answer.description), row, strict=True)) for row in answer.fetchall()]
        expected = [truth(github, name) for _ in range(2) for name in ("octo/a", "octo/b")]

    assert [str(row["capture_date"]) for row in found] == ["2026-11-20"] * 2 + ["2026-11-21"] * 2
    for row, correct in zip(found, expected, strict=True):
        assert {name: value for name, value in row.items() if name != "capture_date"} == {
            name: correct[name] for name in row if name != "capture_date"
        }


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_documented_command_reads_the_listings(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, tmp_path: Path
) -> None:
    """In years people must be able to read them without this code."""
    (command,) = re.findall(r"```sh\n(.*?)```", section(), re.DOTALL)
    with account(monkeypatch, github.url) as aws:
        aws.list_repositories()
        folder = downloaded(aws, tmp_path)
    text = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=True, text=True).stdout  # noqa: S603, S607

    assert text.splitlines()[0] == f"2026-11-20\tocto/000\t{truth(github, 'octo/000')['stargazers_count']}"
    assert len(text.splitlines()) == len(NAMES)
