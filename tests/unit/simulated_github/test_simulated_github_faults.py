"""Every fault of the simulated GitHub, over real HTTP."""

import json
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from simulated_github import SimulatedGitHub, faults
from simulated_github.fault_rules import rule_from_json
from simulated_github.faults import FAULTS, Fault
from simulated_github.replies import HTML_TYPE

TOKEN = {"Authorization": "Bearer x"}
MORNING = "2026-11-20T09:00:00Z"
VIEWS = "/repos/octo/open/traffic/views"


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """A GitHub with two repositories, on a Friday morning."""
    with SimulatedGitHub(repositories=["octo/open", "acme/tool"], at=MORNING) as simulated:
        yield simulated


def get(github: SimulatedGitHub, path: str = VIEWS, timeout: float = 5) -> requests.Response:
    """Send a request, without following redirects."""
    return requests.get(github.url + path, headers=TOKEN, timeout=timeout, allow_redirects=False)


REFUSALS = [
    (faults.server_error(), 502, "Server Error"),
    (faults.server_error(500), 500, "Server Error"),
    (faults.bad_credentials(), 401, "Bad credentials"),
    (faults.retry_after(8), 403, "secondary rate limit"),
    (faults.retry_after(8, 429), 429, "secondary rate limit"),
    (faults.primary_limit(), 403, "API rate limit exceeded"),
    (faults.primary_limit(5, 429), 429, "API rate limit exceeded"),
    (faults.secondary_limit(), 403, "secondary rate limit"),
    (faults.secondary_limit("message"), 403, "secondary rate limit"),
    (faults.secondary_limit("abuse"), 403, "abuse detection"),
    (faults.secondary_limit("documentation"), 403, "Forbidden"),
    (faults.secondary_limit("header"), 403, "Forbidden"),
    (faults.secondary_limit("bare", 429), 429, "Too Many Requests"),
    (faults.sso_required(), 403, "SAML enforcement"),
    (faults.no_push_access(), 403, "Must have push access to repository"),
    (faults.admin_rights(), 403, "admin rights"),
    (faults.not_accessible_by_token(), 403, "Resource not accessible by personal access token"),
    (faults.not_accessible_by_token("integration"), 403, "Resource not accessible by integration"),
    (faults.lifetime_forbidden(), 403, "https://github.com/settings/personal-access-tokens/12885303"),
    (faults.ip_allow_list(), 403, "the `octo` organization has an IP allow list enabled"),
    (faults.blocked(), 403, "Repository access blocked"),
    (faults.blocked(451), 451, "Repository access blocked"),
    (faults.upgrade_to_pro(), 403, "Upgrade to GitHub Pro"),
    (faults.not_found(), 404, "Not Found"),
    (faults.gone(), 410, "removed"),
    (faults.unprocessable(), 422, "Validation Failed"),
    (faults.bad_api_version(), 400, "version"),
]


@pytest.mark.parametrize(("fault", "status", "message"), REFUSALS, ids=lambda value: getattr(value, "name", None))
def test_a_refused_repository_gets_githubs_words_and_the_others_their_traffic(
    github: SimulatedGitHub, fault: Fault, status: int, message: str
) -> None:
    """The meaning of an answer depends on its status, text and headers only."""
    github.refuse("octo/open", fault)

    refused = get(github)

    assert (refused.status_code, message in refused.json()["message"]) == (status, True)
    assert get(github, "/repos/acme/tool/traffic/views").status_code == 200


def test_each_secondary_limit_shows_one_sign_only(github: SimulatedGitHub) -> None:
    """GitHub sends its signs alone or together, without `retry-after` and with calls remaining."""
    signs = {}
    for variant in ("message", "documentation", "header", "bare"):
        github.clear_faults()
        github.refuse("octo/open", faults.secondary_limit(variant, 429))
        answer = get(github)
        assert "retry-after" not in answer.headers
        assert int(answer.headers["x-ratelimit-remaining"]) > 0
        signs[variant] = (
            "secondary rate limit" in answer.json()["message"],
            answer.json()["documentation_url"].endswith("secondary-rate-limits"),
            "gh-limited-by" in answer.headers,
        )

    assert signs == {
        "message": (True, False, False),
        "documentation": (False, True, False),
        "header": (False, False, True),
        "bare": (False, False, False),
    }


def test_waits_are_announced_in_simulated_time(github: SimulatedGitHub) -> None:
    """In a replay, a wait computed from another clock than the answer's would be wrong by years."""
    github.add_fault(faults.retry_after(30, as_http_date=True), count=1)
    github.add_fault(faults.primary_limit(90))

    dated, limited = get(github), get(github)

    def seconds(answer: requests.Response, until: float) -> float:
        return until - parsedate_to_datetime(answer.headers["Date"]).timestamp()

    assert seconds(dated, parsedate_to_datetime(dated.headers["Retry-After"]).timestamp()) == 30
    assert seconds(limited, float(limited.headers["x-ratelimit-reset"])) == 90
    assert limited.headers["x-ratelimit-remaining"] == "0"


def test_pages_replace_json(github: SimulatedGitHub) -> None:
    """The Unicorn comes from GitHub's load balancer, without rate limits; a proxy's page has status 200."""
    github.add_fault(faults.unicorn(), count=1)
    github.add_fault(faults.html_200())

    unicorn, page = get(github), get(github)

    assert (unicorn.status_code, "Unicorn!" in unicorn.text, "x-ratelimit-limit" in unicorn.headers) == (
        503,
        True,
        False,
    )
    assert (page.status_code, page.headers["Content-Type"].startswith("text/html")) == (200, True)


def test_a_web_site_redirects_to_its_login_page(github: SimulatedGitHub) -> None:
    """`https://TENANT.ghe.com` answers an API path like this; the redirect leads to a page with status 200."""
    github.add_fault(faults.login_redirect())

    redirect = get(github)
    page = requests.get(redirect.headers["Location"], headers=TOKEN, timeout=5)

    assert (redirect.status_code, redirect.headers["Location"]) == (302, f"{github.url}/login")
    assert (page.status_code, page.headers["Content-Type"], "sign in" in page.text) == (200, HTML_TYPE, True)


def test_a_proxied_server_writes_its_own_address_into_links() -> None:
    """Clients of the proxy cannot use that address; path and query stay."""
    names = [f"octo/{number}" for number in range(3)]
    with SimulatedGitHub(repositories=names, base_path="/api/v3") as github:
        github.add_fault(faults.links_of_a_proxied_server("https://github.internal:8443"))
        links = get(github, "/user/repos?per_page=1").links

    assert links["next"]["url"] == "https://github.internal:8443/api/v3/user/repos?per_page=1&page=2"


def test_a_version_that_closes_down_is_announced_in_a_true_answer(github: SimulatedGitHub) -> None:
    """GitHub answers until the second day."""
    github.add_fault(faults.version_closing_down())

    answer = get(github)

    assert (answer.status_code, answer.json()["count"] > 0) == (200, True)
    assert answer.headers["Deprecation"] == "Wed, 10 Mar 2027 00:00:00 GMT"
    assert answer.headers["Sunset"] == "Fri, 10 Mar 2028 00:00:00 GMT"


def test_a_repository_has_the_fields_of_githubs_objects(github: SimulatedGitHub) -> None:
    """Lists have the size and variety of GitHub's; only the single object contains the watchers.

    Source:
        https://docs.github.com/en/rest/repos/repos#list-repositories-for-the-authenticated-user
    """
    listed, single = get(github, "/user/repos").json()[0], get(github, "/repos/acme/tool").json()
    other = get(github, "/user/repos").json()[1]

    counts = {"stargazers_count", "forks_count", "open_issues_count", "size", "topics", "visibility", "license"}
    assert counts | {"description", "created_at", "pushed_at", "updated_at"} <= listed.keys()
    assert listed["watchers_count"] == listed["stargazers_count"]
    assert listed["created_at"] < listed["pushed_at"] < listed["updated_at"]
    assert {name: listed[name] for name in counts} != {name: other[name] for name in counts}
    assert single.keys() - listed.keys() == {"network_count", "subscribers_count"}


@pytest.mark.parametrize("fault", [faults.connection_reset(), faults.truncated_body(), faults.hang(30)])
def test_a_broken_connection_is_an_error_of_the_client(github: SimulatedGitHub, fault: Fault) -> None:
    """The client gets no complete answer."""
    github.add_fault(fault)

    with pytest.raises(requests.RequestException):
        get(github, timeout=0.5 if fault.name == "hang" else 5)

    give_up = time.monotonic() + 5  # a busy machine may answer after the client's timeout
    while not github.calls and time.monotonic() < give_up:
        time.sleep(0.01)
    assert github.calls[0].status == (None if fault.name == "connection_reset" else 200)


def test_a_dripping_body_outlives_the_clients_timeout(github: SimulatedGitHub) -> None:
    """`requests` limits the time between two bytes, not that of the answer: the caller has to."""
    timeout = 0.9  # a piece comes every 0.05 s
    github.add_fault(faults.drip(1))
    begin = time.monotonic()

    answer = get(github, timeout=timeout)

    assert time.monotonic() - begin > timeout
    assert len(answer.json()["views"]) == 14


@pytest.mark.parametrize("fault", [faults.malformed_json(), faults.deeply_nested()])
def test_a_complete_body_may_be_unreadable(github: SimulatedGitHub, fault: Fault) -> None:
    """Neither may crash the caller."""
    github.add_fault(fault)

    with pytest.raises((ValueError, RecursionError)):
        json.loads(get(github).content)


def test_an_oversized_body_has_the_requested_size(github: SimulatedGitHub) -> None:
    """Valid JSON, but too much for memory."""
    github.add_fault(faults.oversized_body(3_000_000))

    assert len(get(github).content) == 3_000_000


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_leads_to_the_same_by_id(github: SimulatedGitHub, status: int) -> None:
    """Following it once leads to the traffic."""
    github.add_fault(faults.redirect(status), count=1)

    moved = get(github)

    assert moved.status_code == status
    assert requests.get(moved.headers["Location"], headers=TOKEN, timeout=5).json() == get(github).json()


def test_a_redirect_may_lead_elsewhere(github: SimulatedGitHub) -> None:
    """A client must not send its token there."""
    github.add_fault(faults.redirect_to_other_host("http://127.0.0.1:9/steal"))

    assert get(github).headers["Location"] == "http://127.0.0.1:9/steal"


def test_a_rule_applies_to_the_calls_of_its_conditions(github: SimulatedGitHub) -> None:
    """The second and third call for views fail; nothing else does."""
    rule = github.add_fault(faults.server_error(), repository="Octo/Open", endpoint="views", first=2, count=2)

    statuses = [get(github).status_code for _ in range(4)]

    assert statuses == [200, 502, 502, 200]
    assert get(github, "/repos/octo/open/traffic/clones").status_code == 200
    assert rule.matched == 4


def test_a_rule_may_apply_for_some_time(github: SimulatedGitHub) -> None:
    """An outage begins and ends in simulated time."""
    github.add_fault(faults.server_error(), since="2026-11-20T10:00:00Z", until="2026-11-20T11:00:00Z")
    statuses = []
    for hour in ("09", "10", "11"):
        github.at(f"2026-11-20T{hour}:30:00Z")
        statuses.append(get(github).status_code)

    assert statuses == [200, 502, 200]


def test_a_listing_can_fail_too(github: SimulatedGitHub) -> None:
    """A run first requests the list."""
    github.add_fault(faults.server_error(), endpoint="list", count=1)

    assert [get(github, "/user/repos").status_code for _ in range(2)] == [502, 200]


def test_a_failing_call_counts_and_a_refused_one_does_not() -> None:
    """Remaining never falls below zero."""
    with SimulatedGitHub(repositories=["octo/open"], limit=1) as github:
        github.refuse("octo/open", faults.no_push_access())

        paid, refused = get(github), get(github)

        assert (paid.status_code, paid.headers["x-ratelimit-remaining"]) == (403, "0")
        assert "push access" in paid.json()["message"]
        assert "rate limit" in refused.json()["message"]


def last_day(answer: requests.Response) -> str:
    """Return the last day that a views or clones answer lists."""
    (kind,) = answer.json().keys() & {"views", "clones"}
    return str(max(row["timestamp"] for row in answer.json()[kind]))[:10]


def test_a_stale_copy_concerns_one_kind_and_one_repository(github: SimulatedGitHub) -> None:
    """Views and clones become stale independently; the numbers of a stale copy are true, but old."""
    fresh = get(github).json()
    github.add_fault(faults.stale_copy("2026-11-15T09:00:00Z"), repository="octo/open", endpoint="clones")

    clones, views = get(github, "/repos/octo/open/traffic/clones"), get(github)
    github.at("2026-11-22T09:00:00Z")
    later, other = get(github, "/repos/octo/open/traffic/clones"), get(github, "/repos/acme/tool/traffic/clones")

    assert (last_day(clones), views.json()) == ("2026-11-14", fresh)
    assert (last_day(later), last_day(other)) == ("2026-11-14", "2026-11-21")
    assert {tuple(row.values()) for row in clones.json()["clones"]} >= {
        (f"{day}T00:00:00Z", true.clones_count, true.clones_uniques)
        for day, true in github.truth("octo/open", "2026-11-10", "2026-11-14").items()
    }


def test_a_stale_copy_alternates_with_fresh_answers_if_asked_to(github: SimulatedGitHub) -> None:
    """GitHub did this for weeks, depending on which of its servers answered."""
    rule = {"fault": "stale_copy", "arguments": {"of": "2026-11-15T09:00:00Z"}, "endpoint": "views", "every": 2}
    requests.post(f"{github.url}/_faults", json=rule, timeout=5).raise_for_status()

    assert [last_day(get(github)) for _ in range(4)] == ["2026-11-14", "2026-11-19"] * 2
    assert requests.get(f"{github.url}/_faults", timeout=5).json()[0]["every"] == 2


def test_lists_without_days_are_never_stale(github: SimulatedGitHub) -> None:
    """Nobody could distinguish a stale list from a fresh one."""
    fresh = get(github, "/repos/octo/open/traffic/popular/paths").json()
    github.add_fault(faults.stale_copy("2026-11-15T09:00:00Z"))

    assert get(github, "/repos/octo/open/traffic/popular/paths").json() == fresh


@pytest.mark.parametrize("every", [0, -1, "2", 1.5])
def test_a_fault_for_each_nth_call_needs_a_number(github: SimulatedGitHub, every: Any) -> None:
    """A wrong rule is refused, and applies to no call."""
    answer = requests.post(f"{github.url}/_faults", json={"fault": "not_found", "every": every}, timeout=5)

    assert answer.status_code == 422
    assert "every" in answer.json()["message"]
    assert get(github).status_code == 200


def test_faults_are_listed_and_removed_over_http(github: SimulatedGitHub) -> None:
    """A GitHub in a process of its own has no Python methods."""
    rule = {"fault": "server_error", "arguments": {"status": 503}, "endpoint": "views", "count": 1}
    requests.post(f"{github.url}/_faults", json=rule, timeout=5).raise_for_status()

    assert [get(github).status_code for _ in range(2)] == [503, 200]
    assert requests.get(f"{github.url}/_faults", timeout=5).json()[0]["matched"] == 2
    assert requests.delete(f"{github.url}/_faults", timeout=5).json() == []


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_be_requested_in_json(name: str) -> None:
    """A fault that cannot be requested is never tested."""
    needed: dict[str, dict[str, Any]] = {
        "drip": {"seconds": 1},
        "oversized_body": {"size": 10},
        "redirect_to_other_host": {"url": "http://127.0.0.1:9"},
        "retry_after": {"seconds": 1},
        "stale_copy": {"of": MORNING},
    }

    assert rule_from_json({"fault": name, "arguments": needed.get(name, {})}).fault.name == name
