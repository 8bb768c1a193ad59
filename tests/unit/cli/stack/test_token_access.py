"""What `traffic doctor`, `token` and `import` read in GitHub's answers, and how they report a failure."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.stack.token_access import (
    TokenReport,
    first_pushable,
    github_with,
    identity,
    token_report,
    traffic_refusal,
)
from cli.terminal import CommandError
from simulated_github import SimulatedGitHub
from traffic.github.answers import Answer
from traffic.github.client import GitHub
from traffic.settings import API_ADDRESSES

API = "https://ghe.example/api/v3"
USER = "/user"
LIMIT = "/rate_limit"
LIST = "/user/repos?per_page=100&sort=pushed"
REPOSITORY = "/repos/octo/docs"
TRAFFIC = "/repos/octo/docs/traffic/views?per=day"

STRANGER = (
    "GITHUB_API_URL is not an address of GitHub's API: ghe.example answers with {}."
    f" Expected {API_ADDRESSES}. Correct GITHUB_API_URL or, for a stack in AWS, the parameter GitHubApiUrl."
    " If the address is right, a proxy or a network's sign-in page answers in its place: sign in, or bypass it."
)
INCOMPLETE = f"GitHub's answer at {API} is incomplete: try again later."


class AnsweringGitHub(GitHub):
    """Answers the given paths only."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__(API, lambda **_fresh: "token")
        self.answers = answers

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Answer."""
        assert params is None
        return self.answers[path]


def says(body: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer of JSON."""
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


def asked(path: str, answer: Answer) -> AnsweringGitHub:
    """Return a GitHub that answers one path, and `/rate_limit` without headers."""
    return AnsweringGitHub({LIMIT: says({}), path: answer})


def error_of(question: Callable[[], object]) -> str:
    """Return the text of the error that a question ends with."""
    with pytest.raises(CommandError) as failed:
        question()
    return str(failed.value)


def test_everything_that_github_reports_about_a_token_is_read() -> None:
    """Whose it is, when it expires, what is left of its limit, and when the version of the API ends."""
    user = says(
        {"login": "octocat"},
        github_authentication_token_expiration="2027-01-31 10:13:04 UTC",
        sunset="Fri, 10 Mar 2028 00:00:00 GMT",
        x_ratelimit_limit="1",  # counts before the question for the limit, so it is not used
    )
    limit = says({}, x_ratelimit_limit="5000", x_ratelimit_remaining="4711", x_ratelimit_reset="1795168800")

    assert token_report(AnsweringGitHub({USER: user, LIMIT: limit})) == TokenReport(
        accepted=True,
        login="octocat",
        expires="2027-01-31 10:13:04 UTC",
        limit=5000,
        remaining=4711,
        resets=datetime(2026, 11, 20, 10, tzinfo=UTC),
        version_end={"sunset": "2028-03-10"},
    )


def test_what_github_does_not_report_stays_unknown() -> None:
    """A token that never expires, at an Enterprise Server without limits."""
    report = token_report(asked(USER, says({"login": "octocat"}, x_ratelimit_limit="1")))

    assert report == TokenReport(accepted=True, login="octocat")


def test_a_refused_token_is_not_accepted() -> None:
    """GitHub is not asked anything else with it."""
    assert token_report(AnsweringGitHub({USER: says({"message": "Bad credentials"}, 401)})) == TokenReport(
        accepted=False
    )


def test_the_token_of_an_app_is_accepted_without_a_login() -> None:
    """GitHub refuses `/user` to it with 403."""
    report = token_report(asked(USER, says({"message": "Resource not accessible by integration"}, 403)))

    assert report == TokenReport(accepted=True, login=None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            Answer(None, {}, b"ConnectTimeout"),
            f"GitHub does not answer at {API} (ConnectTimeout): check network and GITHUB_API_URL.",
        ),
        (says({}, 500), f"GitHub fails at {API} (500): try again later."),
        (Answer(502, {}, b"<html>"), f"GitHub fails at {API} (502): try again later."),
        (Answer(429, {}, b"<html>"), f"GitHub fails at {API} (429): try again later."),
        (says({"message": "Not Found"}, 404), STRANGER.format("404 to /user")),
        (says({"login": "octocat"}, 201), STRANGER.format("201 to /user")),
        (Answer(302, {}, b""), STRANGER.format("a redirect")),
        (Answer(200, {"content-type": "text/html; charset=utf-8"}, b""), STRANGER.format("a web page")),
        (Answer(401, {}, b" <html>"), STRANGER.format("a web page")),
        (says({}), STRANGER.format("JSON that is not GitHub's")),
        (says([]), STRANGER.format("JSON that is not GitHub's")),
        (Answer(200, {}, b'{"login'), INCOMPLETE),
    ],
    ids=lambda value: f"{value.status} {value.body[:10]!r}" if isinstance(value, Answer) else "",
)
def test_an_answer_that_is_not_githubs_is_reported_with_what_to_do(answer: Answer, error: str) -> None:
    """Network, setting and GitHub's own failures need different cures."""
    assert error_of(lambda: token_report(asked(USER, answer))) == error


def test_the_first_repository_with_push_access_is_chosen() -> None:
    """Only its traffic can be read; some servers leave the permissions out."""
    found = [
        {"full_name": "octo/read", "permissions": {"push": False}},
        {"full_name": "octo/odd"},
        {"full_name": "octo/docs", "permissions": {"push": True}},
        {"full_name": "octo/web", "permissions": {"push": True}},
    ]

    assert first_pushable(asked(LIST, says(found))) == "octo/docs"
    assert first_pushable(asked(LIST, says(found[:2]))) is None
    assert first_pushable(asked(LIST, says({"message": "no"}, 403))) is None


@pytest.mark.parametrize("body", [b"[{", b"7", b'["octo/docs"]', b'[{"permissions": {"push": true}}]'])
def test_a_list_that_is_not_githubs_is_incomplete(body: bytes) -> None:
    """A person sees a sentence instead of a traceback."""
    assert error_of(lambda: first_pushable(asked(LIST, Answer(200, {}, body)))) == INCOMPLETE


def test_a_repository_is_identified_by_its_id_and_its_name_in_githubs_spelling() -> None:
    """Names at GitHub are equal in upper and lower case."""
    assert identity(asked(REPOSITORY, says({"id": 7, "full_name": "Octo/Docs"})), "octo/docs") == (7, "Octo/Docs")
    assert identity(asked(REPOSITORY, says({"id": 7})), "octo/docs") == (7, "octo/docs")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says({"message": "Not Found"}, 404), "GitHub does not return the id of octo/docs: 404 Not Found."),
        (says({"id": 7}, 403), "GitHub does not return the id of octo/docs: 403 ."),
        (says({"id": "7"}), "GitHub does not return the id of octo/docs: 200 ."),
        (
            says({"id": 7, "full_name": "octo/site"}),
            "octo/docs was renamed at GitHub: use its present name.",
        ),
    ],
)
def test_a_repository_without_an_id_or_under_a_former_name_is_refused(answer: Answer, error: str) -> None:
    """Days must never be imported into another repository."""
    assert error_of(lambda: identity(asked(REPOSITORY, answer), "octo/docs")) == error


def test_the_reason_of_a_refused_traffic_is_returned() -> None:
    """The doctor shows it together with the missing permission."""
    assert traffic_refusal(asked(TRAFFIC, says({"views": []})), "octo/docs") is None
    refused = says({"message": "Must have push access"}, 403)
    assert traffic_refusal(asked(TRAFFIC, refused), "octo/docs") == "403 Must have push access"
    assert traffic_refusal(asked(TRAFFIC, says([], 404)), "octo/docs") == "404"


def test_github_is_asked_with_the_token_and_without_a_slash_too_many() -> None:
    """The stack's parameter may end in a slash."""
    with SimulatedGitHub(repositories=["octo/docs"], token="good") as github:
        client = github_with(f"{github.url}/", "good")
        assert (client.api_url, token_report(client).accepted) == (github.url, True)
        assert identity(client, "octo/docs")[1] == first_pushable(client) == "octo/docs"
        assert traffic_refusal(client, "octo/docs") is None
        assert [call.path for call in github.calls] == [USER, LIMIT, REPOSITORY, LIST, TRAFFIC]
        github.rename("octo/docs", "octo/site")
        assert "was renamed" in error_of(lambda: identity(client, "octo/docs"))
