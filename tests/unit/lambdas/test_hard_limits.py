"""Hard limits of AWS, with up to 10,000 repositories, names of 140 characters, and anything that strangers can write.

The real handlers run on a moto account: they return payloads for the states, and write items.

Sources:
    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html (payload 256 KiB, history 25,000 events)
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (item 400 KB)
    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html (message 256 KiB, subject 100 ASCII characters)
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import pytest

from cli.runs.prices import MEMORY
from lambdas.fetch_traffic.batch import PASSES
from lambdas.list_repos.due import BATCH, MOST_BATCHES, plan_lane
from lambdas.list_repos.every_token import note_refusal
from lambdas.list_repos.pages import RESERVE
from lambdas.summarize_run import read_record
from simulated_github import SimulatedGitHub, faults
from simulated_github.account import SimulatedRepository
from simulated_github.faults import Fault
from simulated_github.replies import Reply
from simulated_github.sources import SeededTraffic
from simulated_github.windows import WindowRules
from tests.bench.functions import PLANNING, TIMEOUT, functions
from tests.unit.handlers import Account, account, child
from traffic.contract import (
    ENDPOINTS,
    Batch,
    ChildState,
    Listing,
    Receipt,
    Repository,
    RunState,
    manifest_key,
    receipts_prefix,
)
from traffic.deadline import LONGEST_RUN
from traffic.errors import GitHubAuthError
from traffic.github.answers import CAPTURED, FAILED, GONE, LONGEST_MESSAGE, NO_PUSH_ACCESS, SSO_NEEDED, Answer
from traffic.github.rate_limit import rate_limit_pause
from traffic.planning import LEAST_CALLS, calls_granted
from traffic.record.merge import Entry, Name, item_of_entry

HISTORY = 25_000  # events of an execution

# Of a child that fetches, stores, and waits or goes on with the next batch: two tasks, two choices, and one more state.
EVENTS = 5 + 2 + 5 + 2 + 2

PAYLOAD = 200 * 1024  # bytes: our own limit; Step Functions allows 256 KiB
ITEM = 400 * 1000  # bytes
MESSAGE = 256 * 1024  # bytes

FLEET = 10_000

SAMPLE = 1_500  # repositories: a list of so many names exceeds the limit of a payload already

NAMES = [f"{'o' * 39}/{number:05}{'r' * 95}" for number in range(FLEET)]  # GitHub allows 39 and 100 characters

WORDS = "\U0001f4a9\x00\x1b[31m\u202e" * 4000  # four bytes a character, and harmful characters


def size(value: object) -> int:
    """Return the size of a value in a payload, in bytes."""
    return len(json.dumps(value).encode())


def item_size(value: Any) -> int:
    """Return at least the size of an item in DynamoDB, in bytes: 21 for a number, 3 for a list or map."""
    if isinstance(value, Mapping):
        return 3 + sum(len(name.encode()) + 1 + item_size(inner) for name, inner in value.items())
    if isinstance(value, list | set):
        return 3 + sum(1 + item_size(inner) for inner in value)
    return len(value.encode()) if isinstance(value, str) else 21


@pytest.fixture(scope="module", params=[SAMPLE, pytest.param(FLEET, marks=pytest.mark.slow)])
def fleet(request: pytest.FixtureRequest) -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with repositories of the fleet."""
    assert {len(name) for name in NAMES} == {140}
    assert size(NAMES[:SAMPLE]) > PAYLOAD
    with SimulatedGitHub(repositories=NAMES[: request.param], limit=1_000_000) as github:
        yield github


@pytest.fixture
def aws(fleet: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Make an account whose functions ask that GitHub."""
    fleet.clear_faults()
    with account(monkeypatch, fleet.url) as made:
        yield made


def batches_of(aws: Account, state: RunState) -> list[Batch]:
    """Read the manifest."""
    key = manifest_key(state["run"]["id"])
    return list(json.load(aws.s3.get_object(Bucket=state["manifest"]["bucket"], Key=key)["Body"]))


def receipt(batch: Batch, number: int) -> list[Receipt]:
    """Return the receipts of a batch in which everything fails, with the longest texts."""
    outcome = (FAILED, GONE, NO_PUSH_ACCESS, SSO_NEEDED, CAPTURED)[number % 5]
    return [
        {
            "id": repository["id"], "name": repository["name"], "repo_name": repository["name"], "answered": [],
            "outcome": outcome, "detail": WORDS[:LONGEST_MESSAGE], "items_changed": 0, "lowered": 0, "newest_day": None,
        }
        for repository in batch["repositories"]
    ]  # fmt: skip


def test_payloads_messages_and_items_of_the_map_stay_small(aws: Account, fleet: SimulatedGitHub) -> None:
    """Lists are in the bucket. Between the states, only their keys and bounded texts are passed."""
    fleet.add_fault(partial_results(5_000), endpoint="list")
    state = aws.list_repositories()
    batches = batches_of(aws, state)
    for number, batch in enumerate(batches):
        body = json.dumps(receipt(batch, number)).encode()
        aws.s3.put_object(Bucket="archive", Key=f"{receipts_prefix('run-1')}{number}.json", Body=body)
    state["problem"] = {"Error": "States.Timeout", "Cause": json.dumps({"errorMessage": WORDS})[:32_768]}
    summary = aws.summarize(state)

    assert sum(len(batch["repositories"]) for batch in batches) == len(fleet.names)
    assert max(map(size, batches)) < PAYLOAD  # each goes into a child
    assert size({**state, "problem": {}}) < PAYLOAD
    assert size(summary) < PAYLOAD
    assert len(summary["message"].encode()) < MESSAGE
    assert len(summary["subject"]) <= 100
    assert summary["subject"].isascii()
    assert f"of {len(fleet.names)} repositories captured" in summary["message"]


def test_a_full_batch_that_waits_fails_and_goes_on_stays_small(aws: Account, fleet: SimulatedGitHub) -> None:
    """A child's state contains its repositories and what remains to ask, also if all of them failed."""
    (batch, *_) = batches_of(aws, aws.list_repositories())
    state: ChildState = {"run": {"id": "r" * 80, "started": "2026-11-20T09:00:00Z"}, "batch": batch}
    fleet.add_fault(faults.server_error(), endpoint="clones", count=BATCH - 1)
    fleet.add_fault(faults.retry_after(3600), endpoint="clones", first=BATCH)
    after = aws.fetch(state)

    assert len(after["batch"]["repositories"]) == BATCH
    assert "resume_at" in after
    assert size(after) < PAYLOAD


def test_texts_from_headers_are_bounded_in_the_listing(aws: Account, fleet: SimulatedGitHub) -> None:
    """They are passed from state to state, with each page."""
    fleet.add_fault(partial_results(30_000, moving=True), endpoint="list")
    state = aws.list_repositories()

    assert size(state) < PAYLOAD


def test_the_text_about_hundreds_of_refused_tokens_is_bounded_in_the_listing() -> None:
    """A secret of 64 KB has room for hundreds of tokens, and an enterprise can refuse all except one at once."""
    owners = ["*", *(f"{number:039}" for number in range(400))]
    listing = Listing(parts=0, pauses=0)
    for owner in owners[1:]:
        note_refusal(listing, owner, GitHubAuthError("w" * LONGEST_MESSAGE), owners)

    refused = [listing["tokens"][owner]["refused"] for owner in owners[1:]]
    assert [text.endswith("w") for text in refused] == [True] * 50 + [False] * 350, "the first 50 have GitHub's text"
    assert size(listing) < PAYLOAD


def partial_results(number: int, *, moving: bool = False) -> Fault:
    """Make GitHub hide so many organizations, different ones on each page, and write a long token expiry."""
    pages = iter(range(1_000_000))

    def spoil(reply: Reply, _circumstances: object) -> Reply:
        begin = 10**7 + (next(pages) * number if moving else 0)
        ids = ",".join(map(str, range(begin, begin + number // 10)))
        return reply.with_headers(
            X_GitHub_SSO=f"partial-results; organizations={ids}", GitHub_Authentication_Token_Expiration="9" * 5_000
        )

    return Fault("partial results", spoil)


class Garbage(SeededTraffic):
    """Returns paths, titles and referrers of the worst kind, and too many of them."""

    def paths(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:  # noqa: ARG002 - they do not depend on the time
        """Return the answer to `/traffic/popular/paths`."""
        return [{"path": WORDS[:1200], "title": WORDS[:1200], "count": 1, "uniques": 1}] * 50

    def referrers(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:  # noqa: ARG002
        """Return the answer to `/traffic/popular/referrers`."""
        return [{"referrer": WORDS[:1200], "count": 1, "uniques": 1}] * 50


def test_items_of_a_repository_with_garbage_paths_and_four_byte_characters_stay_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DynamoDB refuses a larger item, and the repository would be lost every day."""
    name = NAMES[0]
    with (
        SimulatedGitHub(repositories=[name], source=Garbage(0, WindowRules())) as github,
        account(monkeypatch, github.url) as aws,
    ):
        (repository,) = github.github.account
        aws.capture(name, repository.id)
        (snapshot,) = aws.snapshots().values()
        (entry,) = (item for item in aws.repositories().values() if "repo-name" in item)

    assert entry["captured-on"]
    assert item_size(snapshot) < ITEM // 10
    assert snapshot["paths"][0]["path"].startswith("\U0001f4a9")
    assert snapshot["paths"][0]["path"].encode().decode() == snapshot["paths"][0]["path"]  # no character is cut


def test_an_answer_with_too_many_days_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand days would be ten thousand items, and their spans would make the entry too large for good."""
    with SimulatedGitHub(repositories=["octo/docs"]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(many_days(10_000), endpoint="views")
        state = child("octo/docs")
        state["batch"]["repositories"][0]["passes"] = PASSES - 1
        state = aws.fetch(state)
        aws.store(state)

        assert aws.days() == {}
        assert aws.repositories()["1"]["refusals"].keys() == {FAILED}


def many_days(number: int) -> Fault:
    """Make views answers contain so many days, every second one."""
    rows = [
        {"timestamp": f"{datetime.fromordinal(600_000 + 2 * n):%Y-%m-%d}T00:00:00Z", "count": 1, "uniques": 1}
        for n in range(number)
    ]
    body = json.dumps({"count": number, "uniques": 1, "views": rows}).encode()
    return Fault("many days", lambda reply, _: Reply(200, body, dict(reply.headers)))


def test_the_entry_of_a_repository_stays_small_over_thirty_years_of_holes_and_renames() -> None:
    """Each hole is a span, and each name is kept: one outage and one rename a month for 30 years."""
    months = [f"{2026 + month // 12}-{month % 12 + 1:02}" for month in range(30 * 12)]
    spans = tuple((f"{month}-01", f"{month}-20") for month in months)
    seen = (Name(f"{month}-01T09:00:00Z", f"{month}-20") for month in months)
    names = dict(zip(NAMES, seen, strict=False))

    assert item_size(item_of_entry(Entry(names, covered={"views": spans, "clones": spans}))) < ITEM // 2


def test_an_execution_stays_below_the_limit_of_events_if_github_asks_for_short_waits() -> None:
    """GitHub asks to wait for a second, again and again: for 20 hours, or before each answer about a repository."""
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    brief = Answer(429, {"retry-after": "1"}, b"")
    pauses = [rate_limit_pause(brief, now, attempt=attempt) for attempt in range(1000)]
    lasting = list(accumulate(pauses))
    in_a_row = sum(seconds < LONGEST_RUN.total_seconds() for seconds in lasting)
    answers = len(ENDPOINTS)
    before_each = sum(seconds * answers < LONGEST_RUN.total_seconds() for seconds in lasting) * answers

    assert pauses[0] == 1  # as GitHub asked, at first
    assert max(in_a_row, before_each + answers) * EVENTS < HISTORY


def test_the_execution_of_the_largest_lane_stays_below_the_limit_of_events() -> None:
    """No user has more than 15,000 calls an hour, nine tenths of them for a run of 20 hours, at two a repository.

    The pace makes it wait up to once a minute, if GitHub is slow enough to need all minutes.
    """
    calls = calls_granted(15_000, None, 20)
    assert calls == 270_000
    lane = plan_lane([("*", Repository(id=number, name="octo/r")) for number in range(calls // LEAST_CALLS)])
    minutes = int(LONGEST_RUN.total_seconds() / 60)

    assert len(lane) <= MOST_BATCHES
    assert (len(lane) + minutes) * EVENTS + 10 < HISTORY
    assert max(map(size, lane)) < PAYLOAD


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_each_function_has_the_time_and_the_memory_that_100_000_repositories_need() -> None:
    """A function's memory decides its share of a core. A function that times out does so again at each retry."""
    for taken in functions(100_000):
        assert taken.memory < 0.8 * MEMORY[taken.function], taken
        if taken.what == PLANNING:
            assert taken.held.seconds < RESERVE, taken  # the function stops listing when only so much time is left
        elif taken.function != "ListRepos":  # this function stops by itself, and goes on in another call
            assert taken.held.seconds < TIMEOUT / 2, taken


def test_few_receipts_wait_in_memory_for_a_slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading far ahead would keep all receipts of a run in memory."""
    written, begun = [str(number) for number in range(1000)], []

    class Bucket:
        def keys(self, _prefix: str) -> Iterator[str]:
            for key in written:
                begun.append(key)
                yield key

        def read_note(self, key: str) -> list[str]:
            return [key]

    monkeypatch.setattr(read_record, "archive", Bucket)
    notes = read_record.read_notes("receipts/")

    first = next(notes)

    assert len(begun) <= read_record.READERS
    assert [first, *notes] == written
