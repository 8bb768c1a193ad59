"""The simulated GitHub over real HTTP, without faults."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from simulated_github import SimulatedGitHub
from simulated_github.github import Call

TOKEN = {"Authorization": "Bearer x"}
MORNING = "2026-11-20T09:00:00Z"
TRAFFIC = ("views", "clones", "popular/referrers", "popular/paths")


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """A GitHub with two repositories, on a Friday morning."""
    with SimulatedGitHub(repositories=["octo/open", "acme/tool"], at=MORNING) as simulated:
        yield simulated


def get(github: SimulatedGitHub, path: str, **headers: str) -> requests.Response:
    """Send a request, without following redirects."""
    return requests.get(github.url + path, headers={**TOKEN, **headers}, timeout=5, allow_redirects=False)


def names(response: requests.Response) -> list[str]:
    """Return the repositories of a page."""
    return [repository["full_name"] for repository in response.json()]


def test_the_answer_contains_the_true_numbers_of_fourteen_days(github: SimulatedGitHub) -> None:
    """End-to-end tests compare the record with `truth`, so the two must agree."""
    truth = github.truth("octo/open")

    views = get(github, "/repos/octo/open/traffic/views?per=day").json()
    clones = get(github, "/repos/octo/open/traffic/clones?per=day").json()

    assert len(truth) == 14
    assert {row["timestamp"][:10]: (row["count"], row["uniques"]) for row in views["views"]} == {
        day: (true.views_count, true.views_uniques) for day, true in truth.items()
    }
    assert {row["timestamp"][:10]: (row["count"], row["uniques"]) for row in clones["clones"]} == {
        day: (true.clones_count, true.clones_uniques) for day, true in truth.items()
    }
    assert views["count"] == sum(true.views_count for true in truth.values())


def test_paths_and_referrers_are_ten_rows_at_most() -> None:
    """They belong to the views of the window; without views there are no rows."""
    with SimulatedGitHub(repositories=40, at=MORNING) as github:
        for name in github.names:
            views = get(github, f"/repos/{name}/traffic/views").json()
            paths = get(github, f"/repos/{name}/traffic/popular/paths").json()
            referrers = get(github, f"/repos/{name}/traffic/popular/referrers").json()

            assert len(paths) <= 10
            assert len(referrers) <= 10
            assert bool(paths) == (views["count"] > 0)
            assert all(row["path"].startswith(f"/{name}") for row in paths)
            assert all(0 < row["uniques"] <= row["count"] for row in paths + referrers)
            assert sum(row["count"] for row in paths) <= views["count"]


def test_the_links_of_a_list_lead_through_all_pages() -> None:
    """230 repositories need three pages; the links are absolute and contain the host of the request."""
    with SimulatedGitHub(repositories=230) as github:
        found, response = [], get(github, "/user/repos?per_page=100")
        assert set(response.links) == {"next", "last"}
        while True:
            found += names(response)
            if "next" not in response.links:
                break
            assert response.links["next"]["url"].startswith(f"{github.url}/user/repos?")
            response = requests.get(response.links["next"]["url"], headers=TOKEN, timeout=5)

        assert found == github.names
        assert len(set(found)) == 230
        assert set(response.links) == {"prev", "first"}
        assert len(get(github, "/user/repos?per_page=1000").json()) == 100


def test_ten_thousand_repositories_cost_nothing_until_requested() -> None:
    """Benchmarks start a GitHub for every size."""
    with SimulatedGitHub(repositories=10_000) as github:
        assert len(get(github, "/user/repos?per_page=100&page=100").json()) == 100


def test_a_repository_object_contains_the_permissions_of_the_account() -> None:
    """Only repositories with push access have traffic to read."""
    with SimulatedGitHub(repositories=["octo/own"], readable=["acme/theirs"]) as github:
        theirs, own = get(github, "/user/repos").json()

        assert own["permissions"] == {"admin": True, "maintain": True, "push": True, "triage": True, "pull": True}
        assert theirs["permissions"]["push"] is False
        assert (own["owner"]["type"], theirs["owner"]["type"]) == ("User", "Organization")
        refused = get(github, "/repos/acme/theirs/traffic/views")
        assert (refused.status_code, refused.json()["message"]) == (403, "Must have push access to repository")


def test_the_list_applies_filters_as_github_does(github: SimulatedGitHub) -> None:
    """`type` together with `affiliation` or `visibility` is a 422."""
    github.change("acme/tool", private=True)

    assert names(get(github, "/user/repos?visibility=private")) == ["acme/tool"]
    assert names(get(github, "/user/repos?affiliation=owner")) == ["octo/open"]
    assert names(get(github, "/user/repos?type=member")) == ["acme/tool"]
    assert get(github, "/user/repos?type=all&visibility=all").status_code == 422


def test_apps_and_people_list_in_different_places(github: SimulatedGitHub) -> None:
    """A token that begins with `ghs_` belongs to an App's installation."""
    app = {"Authorization": "Bearer ghs_x"}

    assert get(github, "/installation/repositories", **app).json()["total_count"] == 2
    assert get(github, "/user/repos", **app).json()["message"] == "Resource not accessible by integration"
    assert get(github, "/installation/repositories").status_code == 403


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic eDp4"])
def test_only_the_configured_token_is_valid(authorization: str) -> None:
    """A refused token must end a run, so the refusal must look like GitHub's."""
    with SimulatedGitHub(repositories=1, token="right") as github:
        refused = get(github, "/user", Authorization=authorization)

        assert (refused.status_code, refused.json()["message"]) == (401, "Bad credentials")
        assert get(github, "/user", Authorization="token right").json()["login"] == "octo"


def test_a_call_without_user_agent_or_with_an_unknown_version_is_refused(github: SimulatedGitHub) -> None:
    """Both are errors of the caller, which GitHub reports."""
    assert get(github, "/user", **{"User-Agent": ""}).status_code == 403
    assert get(github, "/user", **{"X-GitHub-Api-Version": "1999-01-01"}).status_code == 400
    assert get(github, "/user", **{"X-GitHub-Api-Version": "2022-11-28"}).status_code == 200


@pytest.mark.parametrize("status", [403, 429])
def test_the_primary_limit_refuses_until_its_reset_and_is_in_every_answer(status: int) -> None:
    """The wait is `reset` minus the answer's own `Date`, so both must come from one clock."""
    with SimulatedGitHub(repositories=1, limit=2, limit_window=60, limit_status=status, at=MORNING) as github:
        answers = [get(github, "/user") for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, status, status]
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0", "0"]
        assert [answer.headers["x-ratelimit-used"] for answer in answers] == ["1", "2", "2", "2"]
        assert "API rate limit exceeded" in answers[-1].json()["message"]
        wait = (
            int(answers[-1].headers["x-ratelimit-reset"])
            - parsedate_to_datetime(answers[-1].headers["Date"]).timestamp()
        )
        assert 55 <= wait <= 60
        assert get(github, "/rate_limit").json()["rate"]["remaining"] == 0
        github.at("2026-11-20T09:01:02Z")
        assert get(github, "/user").headers["x-ratelimit-remaining"] == "1"


def test_an_unchanged_answer_is_a_free_304(github: SimulatedGitHub) -> None:
    """The ETag depends on the token, so the call counts for another token."""
    first = get(github, "/repos/octo/open/traffic/views")
    etag = first.headers["ETag"]

    again = get(github, "/repos/octo/open/traffic/views", **{"If-None-Match": etag})
    other = get(github, "/repos/octo/open/traffic/views", **{"If-None-Match": etag, "Authorization": "Bearer y"})

    assert etag.startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-used"] == "1"
    assert other.status_code == 200


def test_the_simulated_time_can_be_set(github: SimulatedGitHub) -> None:
    """Tests replay years in minutes: `Date` and the window follow the simulated time."""
    answered = requests.post(f"{github.url}/_at", json={"at": "2024-02-29T12:30:00Z"}, timeout=5)

    answer = get(github, "/repos/octo/open/traffic/views")

    assert answered.json() == {"at": "2024-02-29T12:30:00Z"}
    assert answer.headers["Date"].startswith("Thu, 29 Feb 2024 12:30:0")
    assert all(row["timestamp"] <= "2024-02-29T00:00:00Z" for row in answer.json()["views"])


def test_an_enterprise_server_is_below_its_base_path() -> None:
    """Its API is at `https://HOST/api/v3`, and its links stay there."""
    with SimulatedGitHub(repositories=40, base_path="/api/v3") as github:
        assert github.url.endswith("/api/v3")
        assert get(github, "/user/repos").links["next"]["url"].startswith(f"{github.url}/user/repos")
        assert requests.get(f"{github.url}/_at", timeout=5).status_code == 200
        assert requests.get(github.url.removesuffix("/api/v3") + "/user", headers=TOKEN, timeout=5).status_code == 404


def test_a_renamed_repository_redirects_to_its_id_and_keeps_its_numbers(github: SimulatedGitHub) -> None:
    """The id is the identity: after a rename or transfer, the traffic is the same."""
    before = get(github, "/repos/octo/open/traffic/views").json()
    github.rename("octo/open", "acme/opened")

    moved = get(github, "/repos/octo/open/traffic/views?per=day")
    followed = requests.get(moved.headers["Location"], headers=TOKEN, timeout=5)

    assert (moved.status_code, moved.json()["message"]) == (301, "Moved Permanently")
    assert moved.headers["Location"] == f"{github.url}/repositories/1296269/traffic/views?per=day"
    assert followed.json() == before
    assert get(github, "/repos/ACME/Opened").json()["id"] == 1296269


def test_a_recreated_repository_is_another_one(github: SimulatedGitHub) -> None:
    """The new id must not continue the old history."""
    old = get(github, "/repos/octo/open").json()["id"]
    github.delete("octo/open")
    assert get(github, "/repos/octo/open/traffic/views").status_code == 404

    github.create("octo/open", private=True)

    assert get(github, "/repos/octo/open").json()["id"] != old


def test_a_name_taken_again_no_longer_redirects(github: SimulatedGitHub) -> None:
    """As on GitHub, a new repository under the old name ends the redirect."""
    github.rename("octo/open", "octo/opened")
    github.create("octo/open")

    assert get(github, "/repos/octo/open").json()["id"] != get(github, "/repos/octo/opened").json()["id"]
    github.delete("octo/open")
    assert get(github, "/repos/octo/open").status_code == 404


def test_push_access_can_come_and_go(github: SimulatedGitHub) -> None:
    """Lost access is a refusal of one repository, and does not end the run."""
    github.change("octo/open", push=False)
    assert get(github, "/repos/octo/open/traffic/clones").status_code == 403

    github.change("octo/open", push=True)
    assert get(github, "/repos/octo/open/traffic/clones").status_code == 200


def test_an_organization_with_sso_is_silently_omitted_from_the_list(github: SimulatedGitHub) -> None:
    """Only a header of a 200 shows that something is missing."""
    github.hide_organization("acme")

    listing = get(github, "/user/repos")

    assert names(listing) == ["octo/open"]
    assert listing.headers["X-GitHub-SSO"].startswith("partial-results; organizations=")
    assert "SAML enforcement" in get(github, "/repos/acme/tool/traffic/views").json()["message"]


def test_a_token_can_be_revoked_after_some_repositories_and_replaced() -> None:
    """A token that becomes invalid during a run must cost only a few calls."""
    with SimulatedGitHub(repositories=["octo/a", "octo/b", "octo/c"]) as github:
        github.revoke_token(after_repositories=2)
        statuses = [
            get(github, f"/repos/octo/{name}/traffic/{kind}").status_code for name in "abca" for kind in TRAFFIC
        ]

        assert statuses == [200] * 8 + [401] * 8
        github.accept_token("new")
        assert get(github, "/user").status_code == 401
        assert get(github, "/user", Authorization="Bearer new").status_code == 200


def test_a_token_can_be_revoked_after_some_calls(github: SimulatedGitHub) -> None:
    """The same, counted in calls."""
    github.revoke_token(after_calls=2)

    assert [get(github, "/user").status_code for _ in range(4)] == [200, 200, 401, 401]


def test_calls_are_recorded_with_their_status(github: SimulatedGitHub) -> None:
    """Tests count the calls of a run."""
    get(github, "/repos/octo/open/traffic/views?per=day")
    get(github, "/repos/octo/nope/traffic/popular/paths")

    found, missing = github.calls
    counted = requests.get(f"{github.url}/_calls?status=404", timeout=5).json()

    path = "/repos/octo/open/traffic/views?per=day"
    assert found == Call("GET", path, "octo/open", "views", 200, found.time)
    assert (missing.repository, missing.endpoint, missing.status) == ("octo/nope", "paths", 404)
    assert (counted["count"], counted["calls"][0]["repository"]) == (1, "octo/nope")
    requests.delete(f"{github.url}/_calls", timeout=5)
    assert github.calls == []


def test_the_true_numbers_are_available_over_http_too(github: SimulatedGitHub) -> None:
    """A demo in a terminal can be checked with curl."""
    query = {"repo": "octo/open", "from": "2026-11-01", "to": "2026-11-03"}

    answered = requests.get(f"{github.url}/_truth", params=query, timeout=5).json()

    truth = github.truth("octo/open", "2026-11-01", "2026-11-03")
    assert answered == [{"date": day, **true._asdict()} for day, true in truth.items()]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/_at", {"at": "yesterday"}),
        ("/_repositories", {"operation": "rename", "name": "octo/nope", "to": "octo/x"}),
        ("/_repositories", {"operation": "change", "name": "octo/open", "id": 5}),
        ("/_token", {"operation": "steal"}),
        ("/_faults", {"fault": "nope"}),
        ("/_faults", {"fault": "drip", "arguments": {"status": 1}}),
        ("/_faults", {"fault": "gone", "endpoint": "nope"}),
        ("/_faults", {"fault": "gone", "count": "two"}),
        ("/_faults", ["gone"]),
    ],
)
def test_a_wrong_control_is_refused_with_a_reason(github: SimulatedGitHub, path: str, content: Any) -> None:
    """A typing error in a test must not look like a GitHub without faults."""
    refused = requests.post(github.url + path, json=content, timeout=5)

    assert refused.status_code == 422
    assert refused.json()["message"]


def test_repositories_and_the_token_can_be_changed_over_http(github: SimulatedGitHub) -> None:
    """A GitHub in a process of its own has no Python methods."""
    rename = {"operation": "rename", "name": "octo/open", "to": "octo/opened"}
    requests.post(f"{github.url}/_repositories", json=rename, timeout=5).raise_for_status()
    requests.post(f"{github.url}/_token", json={"operation": "revoke_after", "calls": 1}, timeout=5).raise_for_status()

    assert names(get(github, "/user/repos")) == ["acme/tool", "octo/opened"]
    assert get(github, "/user").status_code == 401


def test_a_taken_port_is_an_error_and_a_stopped_server_frees_it() -> None:
    """A test must neither leave a server running nor use the server of another."""
    with SimulatedGitHub(repositories=1) as github:
        with pytest.raises(OSError, match="address already in use"), SimulatedGitHub(port=github.port):
            pass
        port = github.port

    with SimulatedGitHub(repositories=1, port=port) as again:
        assert get(again, "/user").status_code == 200
