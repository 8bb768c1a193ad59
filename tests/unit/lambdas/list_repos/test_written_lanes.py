"""Promise: a child for each of few repositories; otherwise one child for each user, so that it can keep the pace."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.list_repos.due import BATCH, MOST_BATCHES, SINGLES, Asked, MapItems, plan_lane, plan_singles, write_items
from lambdas.shared.deployed_archive import archive
from tests.unit.handlers import account
from traffic.contract import Batch, Repository, TokenSaid, lanes_key, manifest_key
from traffic.planning import AT_ONCE, MOST_CALLS

NOW = 1_795_000_000.0
LIMITED: dict[str, TokenSaid] = {"*": {"limit": 5000, "remaining": 4000}}


@pytest.fixture(scope="module")
def _bucket() -> Iterator[None]:
    """Provide a bucket for this module: each test writes the manifest of its run again."""
    with pytest.MonkeyPatch.context() as patch, account(patch, "http://127.0.0.1:9"):
        yield


def repositories(owner: str, number: int, first: int = 0) -> list[tuple[str, Repository]]:
    """Return so many repositories for which an owner's token asks."""
    return [(owner, Repository(id=first + each, name=f"octo/r{first + each}")) for each in range(number)]


def written(asked: Asked, tokens: dict[str, TokenSaid]) -> tuple[MapItems, list[Batch], list[Batch]]:
    """Write the items of a run's Map. Return the result, the items, and the batches of the manifest."""
    items = write_items(archive(), "run-1", asked, tokens, NOW)
    return items, archive().read_note(items.key) or [], archive().read_note(manifest_key("run-1")) or []


def batches_in(lane: Batch) -> list[Batch]:
    """Read a lane's batches from the manifest, one by one."""
    numbers = range(lane["at"]["part"], lane["lane"]["last"] + 1)
    return [archive().read_batch(manifest_key("run-1"), number, lane["lane"]["width"]) for number in numbers]


@pytest.mark.usefixtures("_bucket")
def test_up_to_200_repositories_each_has_a_child() -> None:
    """The console shows each by its own execution, and four of them run at once."""
    items, children, batches = written({"*": repositories("*", SINGLES)}, LIMITED)

    assert (items.key, items.at_once, items.batches) == (manifest_key("run-1"), AT_ONCE, SINGLES)
    assert children == batches
    assert [batch["repositories"][0]["id"] for batch in batches] == list(range(SINGLES))
    assert all(batch["share"] == {"children": 4, "calls": SINGLES * MOST_CALLS} for batch in batches)


def test_each_child_has_its_users_share_of_the_response_time() -> None:
    """Children of another user take nothing from it."""
    batches = plan_singles(
        {"@mona": [*repositories("octo", 2), *repositories("*", 6, 10)], "@lisa": repositories("a", 2)}
    )
    shares = {batch.get("owner", "*"): batch["share"] for batch in batches}

    assert shares["octo"] == shares["*"] == {"children": 4, "calls": 8 * MOST_CALLS}
    assert shares["a"] == {"children": 2, "calls": 2 * MOST_CALLS}


def test_children_of_several_users_alternate() -> None:
    """Four run at once: if all of them waited for one user's limit, the other users' limits would not be used."""
    batches = plan_singles({"octo": repositories("octo", 25), "*": repositories("*", 75, 100)})
    owners = [batch.get("owner", "*") for batch in batches]

    assert all(sorted(owners[start : start + 4]) == ["*", "*", "*", "octo"] for start in range(0, 100, 4))


@pytest.mark.usefixtures("_bucket")
def test_beyond_200_repositories_each_user_has_one_child() -> None:
    """All of them run at once: one that waits takes nobody's place, and no second one asks for the same user."""
    asked = {"@mona": [*repositories("octo", 120), *repositories("acme", 70, 200)], "*": repositories("*", 11, 400)}
    mona: TokenSaid = {"limit": 5000, "login": "mona"}
    items, lanes, batches = written(asked, {**LIMITED, "octo": mona, "acme": mona})

    assert (items.key, items.at_once, items.batches) == (lanes_key("run-1"), 2, len(batches))
    assert [[(b.get("owner", "*"), len(b["repositories"])) for b in batches_in(lane)] for lane in lanes] == [
        [("octo", 50), ("octo", 50), ("octo", 20), ("acme", 50), ("acme", 20)],
        [("*", 11)],
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["@a", "@b", "c"]), st.sampled_from(["x", "y", "*"]), st.integers(1, 70)),
        min_size=1,
        max_size=12,
    )
)
@pytest.mark.usefixtures("_bucket")
def test_lanes_hold_each_repository_once_in_its_users_order(parts: list[tuple[str, str, int]]) -> None:
    """Whatever the users and owners are: each batch has one token, and the urgent repositories of it come first."""
    asked = defaultdict[str, list[tuple[str, Repository]]](list)
    tokens: dict[str, TokenSaid] = {}
    first = 0
    for user, owner, number in [*parts, ("c", "*", SINGLES)]:
        asked[user] += repositories(f"{user}{owner}", number, first)
        tokens[user if user == "c" else f"{user}{owner}"] = {"limit": 5000}
        if user != "c":
            tokens[f"{user}{owner}"]["login"] = user.removeprefix("@")
        first += number
    _, lanes, batches = written(asked, tokens)

    assert [batch for lane in lanes for batch in batches_in(lane)] == batches
    for user, lane in zip(asked, lanes, strict=True):
        captured = [(b["owner"], each) for b in batches_in(lane) for each in b["repositories"]]
        for owner in {owner for owner, _ in asked[user]}:
            assert [pair for pair in captured if pair[0] == owner] == [p for p in asked[user] if p[0] == owner]
        assert len(captured) == len(asked[user])


def test_the_most_urgent_batch_of_a_lane_comes_first() -> None:
    """A run that ends early leaves out the least urgent repositories, also of a user with several tokens."""
    planned = [
        pair
        for each in range(BATCH)
        for pair in (("b", Repository(id=2 * each, name="b/r")), ("a", Repository(id=2 * each + 1, name="a/r")))
    ]
    batches = plan_lane([*planned, *repositories("b", 1, 1000)])

    assert [(batch["owner"], batch["repositories"][0]["id"]) for batch in batches] == [("b", 0), ("a", 1), ("b", 1000)]


@pytest.mark.usefixtures("_bucket")
def test_users_without_limits_share_four_lanes() -> None:
    """They need no pace. As many children run at once as for few repositories, and none of them begins with a pause."""
    tokens: dict[str, TokenSaid] = {"octo": {"login": "mona"}, "*": {"login": "lisa", "minute": [(NOW - 1, 900, 90.0)]}}
    asked = {"@mona": repositories("octo", 420), "@lisa": repositories("*", 60, 1000)}
    items, lanes, batches = written(asked, tokens)
    captured = [each["id"] for lane in lanes for batch in batches_in(lane) for each in batch["repositories"]]

    assert (items.key, items.at_once, items.batches) == (lanes_key("run-1"), AT_ONCE, len(batches))
    assert [len(batches_in(lane)) for lane in lanes] == [3, 3, 3, 2]
    assert sorted(captured) == [*range(420), *range(1000, 1060)]
    assert all("minute" not in lane for lane in lanes)


@pytest.mark.usefixtures("_bucket")
def test_a_user_with_limits_beside_users_without_has_one_lane() -> None:
    """The limits of a token do not end because another token has none."""
    tokens: dict[str, TokenSaid] = {"octo": {"login": "mona", "limit": 5000}, "*": {"login": "lisa"}}
    asked = {"@lisa": repositories("*", 120), "@mona": repositories("octo", 120, 1000)}
    _, lanes, _ = written(asked, tokens)

    assert [[batch["owner"] for batch in batches_in(lane) if "owner" in batch] for lane in lanes] == [
        ["octo"] * 3,
        [],
        [],
        [],
    ]


@pytest.mark.usefixtures("_bucket")
@pytest.mark.parametrize(
    ("minute", "limit", "lanes"),
    [
        ([(NOW - 1, 10, 5.0)], {"limit": 5000}, False),
        ([(NOW - 1, 11, 5.0)], {"limit": 5000}, True),
        ([(NOW - 1, 10, 9.0)], {"limit": 5000}, False),
        ([(NOW - 30, 5, 5.0), (NOW - 1, 5, 4.1)], {"limit": 5000}, True),
        ([(NOW - 61, 5, 5.0), (NOW - 1, 5, 4.1)], {"limit": 5000}, False),
        ([(NOW - 61, 11, 5.0)], {"limit": 5000}, False),
        ([(NOW - 1, 11, 5.0)], {}, False),
    ],
)
def test_a_listing_that_took_the_minutes_calls_leaves_room_for_one_child_only(
    minute: list[tuple[float, int, float]], limit: TokenSaid, lanes: bool
) -> None:
    """200 repositories take 800 calls of 810, and nine tenths of the response time.

    The calls of the last minute count, if GitHub sets a limit at all.
    """
    tokens: dict[str, TokenSaid] = {"*": {**limit, "minute": minute}}
    items, (item, *_), _ = written({"*": repositories("*", SINGLES)}, tokens)

    assert items.key == (lanes_key("run-1") if lanes else manifest_key("run-1"))
    if lanes:
        assert [tuple(entry) for entry in item["minute"]] == minute, "the lane's pace begins with the listing's calls"


@pytest.mark.usefixtures("_bucket")
def test_a_lane_begins_with_the_calls_of_all_tokens_of_its_user() -> None:
    """GitHub counts them together."""
    tokens: dict[str, TokenSaid] = {
        "octo": {"limit": 5000, "login": "mona", "minute": [(NOW - 61, 5, 1.0), (NOW - 40, 3, 1.0)]},
        "acme": {"limit": 5000, "login": "mona", "minute": [(NOW - 50, 2, 0.5)]},
        "*": {"limit": 5000, "login": "lisa"},
    }
    asked = {"@mona": repositories("octo", 201), "@lisa": repositories("*", 1, 500)}
    _, (mona, lisa), _ = written(asked, tokens)

    assert [tuple(entry) for entry in mona["minute"]] == [(NOW - 50, 2, 0.5), (NOW - 40, 3, 1.0)]
    assert "minute" not in lisa


@pytest.mark.usefixtures("_bucket")
def test_a_run_without_repositories_has_no_batches() -> None:
    """The definition then starts no child."""
    items, children, batches = written({"*": []}, LIMITED)

    assert (items.batches, children, batches) == (0, [], [])


@pytest.mark.parametrize(("number", "size"), [(201, 50), (10_000, 50), (10_001, 51), (45_000, 225)])
def test_batches_grow_so_that_a_lane_has_at_most_200(number: int, size: int) -> None:
    """Each batch adds events to the history of the lane's execution, which is bounded."""
    batches = plan_lane(repositories("*", number))

    assert len(batches[0]["repositories"]) == size
    assert len(batches) <= MOST_BATCHES


@pytest.mark.usefixtures("_bucket")
def test_batches_without_limits_grow_only_beyond_what_four_lanes_hold() -> None:
    """The last lanes would have nothing to do if the size of a batch were that of one lane."""
    _, lanes, batches = written({"*": repositories("*", 30_000)}, {"*": {}})

    assert {len(batch["repositories"]) for batch in batches} == {BATCH}
    assert [len(batches_in(lane)) for lane in lanes[:1]] == [150]
