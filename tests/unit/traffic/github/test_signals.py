"""The table of signals: what each answer means, how long to wait after it, and when the API's version ends."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from traffic.errors import GitHubAuthError
from traffic.github.answers import (
    Answer,
    Meaning,
    Verdict,
    classify,
    cut_between_words,
    ends_soon,
    not_the_api,
    stranger,
    version_end,
    version_end_text,
)
from traffic.github.rate_limit import header_number, rate_limit_pause, reserve_pause
from traffic.github.tokens import token_owner, token_text, tokens_in

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SENT = "Fri, 20 Nov 2026 08:59:00 GMT"  # a minute before NOW
RESET = str(int(NOW.timestamp()) + 40)

SSO = "token not authorized for the organization"
PUSH = "no push access"
BLOCKED = "access blocked by GitHub"
LIMITED = Verdict(Meaning.LIMITED)
SECONDARY = Verdict(Meaning.SECONDARY_LIMITED)
TRANSIENT = Verdict(Meaning.TRANSIENT, "failed")
BUG = Verdict(Meaning.OUR_BUG)


def answer(status: int | None, message: str = "", documentation: str = "", **headers: str) -> Answer:
    """Return an answer with a message, as GitHub sends it."""
    body: dict[str, Any] = {"message": message, "documentation_url": documentation}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, names, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict(Meaning.FINE, "captured")),
        *((status, Verdict(Meaning.MOVED, "refused")) for status in (301, 302, 307, 308)),
        *((status, BUG) for status in (400, 410, 422)),
        (401, Verdict(Meaning.BAD_TOKEN)),
        (404, Verdict(Meaning.REFUSED, "gone or hidden")),
        (451, Verdict(Meaning.REFUSED, BLOCKED)),
        (403, Verdict(Meaning.REFUSED, "refused")),
        (402, Verdict(Meaning.REFUSED, "refused")),
        (499, Verdict(Meaning.REFUSED, "refused")),
        *((status, TRANSIENT) for status in (None, 100, 204, 304, 399, 408, 500, 502, 503, 504, 599)),
        (429, SECONDARY),
    ],
)
def test_a_status_alone_has_a_meaning(status: int | None, verdict: Verdict) -> None:
    """Whatever the body is."""
    assert classify(answer(status)) == verdict
    assert verdict.outcome == "" or verdict.meaning in (Meaning.FINE, Meaning.MOVED, Meaning.REFUSED, Meaning.TRANSIENT)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("Resource protected by organization SAML enforcement.", SSO),
        ("... if the token's lifetime is greater than 366 days", "token lives longer than the organization allows"),
        ("`octo` has an IP allow list enabled", "address not on the organization's IP allow list"),
        ("Must have push access to repository", PUSH),
        ("Must have admin rights to Repository.", PUSH),
        ("Resource not accessible by integration", "token lacks Administration (read)"),
        ("Repository access blocked", BLOCKED),
        ("Upgrade to GitHub Pro or make this repository public", BLOCKED),
        ("No", "refused"),
    ],
)
def test_the_words_of_a_refusal_lead_to_its_outcome(message: str, outcome: str) -> None:
    """Also in upper case, and if the refusal was the last call of the hour."""
    refused = Verdict(Meaning.REFUSED, outcome)

    assert classify(answer(403, message)) == classify(answer(403, message.upper())) == refused
    if outcome != "refused":
        assert classify(answer(403, message, x_ratelimit_remaining="0")) == refused


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (answer(403, x_github_sso="required"), Verdict(Meaning.REFUSED, SSO)),
        (answer(403, "Must have push access", x_github_sso="required"), Verdict(Meaning.REFUSED, PUSH)),
        (answer(403, x_ratelimit_remaining="0"), LIMITED),
        (answer(429, x_ratelimit_remaining="0"), LIMITED),
        (answer(403, x_ratelimit_remaining="1"), Verdict(Meaning.REFUSED, "refused")),
        (answer(403, x_github_sso="required", x_ratelimit_remaining="0"), Verdict(Meaning.REFUSED, SSO)),
        (answer(403, "Must have push access", retry_after="7"), LIMITED),
        (answer(429, retry_after="7"), LIMITED),
        (answer(403, "You have exceeded a secondary rate limit"), SECONDARY),
        (answer(403, "You have triggered an abuse detection mechanism"), SECONDARY),
        (answer(403, gh_limited_by="points"), SECONDARY),
        (answer(403, documentation="https://docs.github.com/rest#secondary-rate-limits"), SECONDARY),
        (answer(403, documentation="https://docs.github.com/rest#abuse-rate-limits"), SECONDARY),
        (answer(403, documentation="https://docs.github.com/rest"), Verdict(Meaning.REFUSED, "refused")),
        (Answer(403, {}, b"<html>rate limit</html>"), SECONDARY),
        (Answer(403, {}, b'["list"]'), Verdict(Meaning.REFUSED, "refused")),
    ],
)
def test_limits_are_distinguished_from_refusals(given: Answer, verdict: Verdict) -> None:
    """To wait at a refusal loses an hour; to ask again at a limit prolongs it."""
    assert classify(given) == verdict


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "Not  Found\\n"}', "Not Found"),
        (b'{"message": 7}', "7"),
        (b"<html>\xff</html>", "<html>\N{REPLACEMENT CHARACTER}</html>"),
        (b'["a"]', '["a"]'),
        (b'{"other": 1}', '{"other": 1}'),
        (b"[" * 100_000, f"{'[' * 0} ...".lstrip()),
    ],
)
def test_a_message_is_read_in_every_body(body: bytes, message: str) -> None:
    """It is one line, however long the body is."""
    assert Answer(403, {}, body).message() == message


def test_a_long_message_ends_within_500_characters() -> None:
    """At a word's end, so that no address is cut."""
    words = "word " * 200

    text = answer(403, words).message()

    assert len(text) == 499 - 1
    assert text == "word " * 99 + "..."
    assert cut_between_words("a b", 3) == "a b"
    assert cut_between_words("ab cd", 4) == "..."
    assert cut_between_words("a bcd e", 6) == "a ..."
    assert cut_between_words("a\ud83d b", 9) == "a? b"


def test_a_body_that_is_not_githubs_json_is_a_value_error() -> None:
    """Python's parser ends with another error at a body that is nested too deeply."""
    with pytest.raises(ValueError, match=r"^nested too deeply$"):
        Answer(200, {}, b"[" * 100_000).json()
    with pytest.raises(ValueError, match="Expecting value"):
        Answer(200, {}, b"<").json()
    assert Answer(200, {}, b"[1]").json() == [1]


def test_a_documentation_that_is_missing_is_empty() -> None:
    """Other servers send other bodies."""
    assert answer(403, documentation="https://docs").documentation() == "https://docs"
    assert [Answer(403, {}, body).documentation() for body in (b"{}", b"[]", b"<")] == ["", "", ""]


HTML = {"content-type": "text/html; charset=utf-8"}
TEXT = {"content-type": "text/plain"}
JSON = {"content-type": "application/json; charset=utf-8"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "described"),
    [
        (200, HTML, b"", "a web page"),
        (200, {"content-type": "Text/HTML"}, b"", "a web page"),
        (200, {"content-type": "application/xhtml+xml"}, b"", "a web page"),
        (200, {}, b"\n <!doctype html>", "a web page"),
        (200, {}, b"\xef\xbb\xbf<html>", "a web page"),
        (200, JSON, b"<html>", "a web page"),
        (401, HTML, b"", "a web page"),
        (404, {}, b"<html>", "a web page"),
        (400, HTML, b"", "a web page"),
        (200, TEXT, b"Please sign in.", "a text that is not JSON"),
        (403, TEXT, b"Access denied", "a text that is not JSON"),
        (401, {"content-type": "application/octet-stream"}, b"", "a text that is not JSON"),
        (302, {}, b"", "a redirect"),
        (511, HTML, b"<html>", "a request to sign in to the network (511)"),
        (200, JSON, b'{"a": "<"}', ""),
        (200, JSON, b'{"a', ""),
        (200, {}, b"", ""),
        (200, {"content-type": "application/vnd.github+json"}, b"[]", ""),
        (200, TEXT, b"[]", ""),
        (401, JSON, b'{"message": "Bad credentials"}', ""),
        (503, HTML, b"<html>Unicorn!", ""),
        (429, HTML, b"<html>Whoa there!", ""),
        (403, {**HTML, "retry-after": "7"}, b"<html>", ""),
        (None, {}, b"<", ""),
    ],
)
def test_whoever_answers_instead_of_githubs_api_is_recognized(
    status: int | None, headers: Mapping[str, str], body: bytes, described: str
) -> None:
    """By type, beginning or content. It says nothing about a token or a repository, so it is a temporary failure."""
    given = Answer(status, headers, body)

    assert stranger(given) == described
    if described and described != "a redirect":
        assert classify(given) == TRANSIENT


def test_the_error_for_another_server_contains_its_host_only() -> None:
    """The path of an address can contain a secret."""
    text = not_the_api("https://github.com/secret", "a web page")

    assert text.startswith("GITHUB_API_URL is not an address of GitHub's API: github.com answers with a web page. Exp")
    assert " Correct GITHUB_API_URL or, for a stack in AWS, the parameter GitHubApiUrl. If the address" in text


def test_the_end_of_the_version_is_read_from_two_headers() -> None:
    """Each can come alone; what is not a date is kept, but not all of it."""
    day, late = "Fri, 10 Mar 2028 00:00:00 GMT", "Sat, 10 Mar 2029 00:00:00 GMT"
    text = "this program uses version 2022-11-28 of GitHub's API, supported until 2028-03-10 at least; now GitHub "

    assert version_end({}) == {}
    assert version_end({"deprecation": day}) == {"deprecated": "2028-03-10"}
    assert version_end({"deprecation": "x" * 50, "sunset": late}) == {"deprecated": "x" * 40, "sunset": "2029-03-10"}
    assert (
        version_end_text({"deprecated": "A", "sunset": "B"}) == f"{text}deprecates it on A and stops answering it on B"
    )
    assert version_end_text({"sunset": "B"}) == f"{text}stops answering it on B"
    assert ends_soon({"sunset": "2028-03-10"}, "2028-02-09")
    assert not ends_soon({"sunset": "2028-03-10"}, "2028-02-08")
    assert not ends_soon({}, "2028-03-10")
    assert not ends_soon({"deprecated": "2028-03-10"}, "2028-03-10")


@pytest.mark.parametrize(
    ("given", "attempt", "seconds"),
    [
        (answer(403, retry_after="30"), 0, 30),
        (answer(403, retry_after=" 30 "), 0, 30),
        (answer(403, retry_after="30", x_ratelimit_remaining="0", x_ratelimit_reset=RESET), 0, 30),
        (answer(403, retry_after="Fri, 20 Nov 2026 09:00:30 GMT"), 0, 30),
        (answer(403, retry_after="Fri, 20 Nov 2026 09:00:30 GMT", date=SENT), 0, 90),
        (answer(403, retry_after="soon"), 0, 60),
        (answer(403, x_ratelimit_remaining="0", x_ratelimit_reset=RESET), 0, 42),
        (answer(403, x_ratelimit_remaining="0", x_ratelimit_reset=RESET, date=SENT), 0, 102),
        (answer(403, x_ratelimit_remaining="1", x_ratelimit_reset=RESET), 0, 60),
        (answer(403, x_ratelimit_remaining="0"), 0, 60),
        (answer(403), 0, 60),
        (answer(403), 1, 120),
        (answer(403), 3, 480),
        (answer(403), 4, 900),
        (answer(403, retry_after="0"), 0, 1),
        (answer(403, retry_after="0"), 10, 900),
        (answer(403, retry_after="0"), 9, 512),
        (answer(403, retry_after="5"), 2, 5),
        (answer(403, retry_after="7200"), 0, 7200),
    ],
)
def test_the_wait_after_a_limit(given: Answer, attempt: int, seconds: float) -> None:
    """As long as GitHub requires, otherwise longer each time."""
    assert rate_limit_pause(given, NOW, attempt=attempt) == seconds


def test_a_reset_in_the_far_future_is_a_number() -> None:
    """A float cannot hold every integer that a header can."""
    far = answer(403, x_ratelimit_remaining="0", x_ratelimit_reset="9" * 400)

    assert rate_limit_pause(far, NOW, attempt=0) == 2.0**62 - NOW.timestamp() + 2


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "seconds"),
    [
        ("5000", "499", RESET, 42),
        ("5000", "500", RESET, None),
        ("5000", "0", RESET, 42),
        ("5000", "0", "1", 1),
        ("5000", "0", "soon", None),
        ("5000", "many", RESET, None),
        ("many", "0", RESET, None),
    ],
)
def test_a_tenth_of_the_limit_is_left_to_other_tools(
    limit: str, remaining: str, reset: str, seconds: float | None
) -> None:
    """The token's owner uses the same limit elsewhere."""
    headers = {"x_ratelimit_limit": limit, "x_ratelimit_remaining": remaining, "x_ratelimit_reset": reset}

    assert reserve_pause(answer(200, **headers), NOW) == seconds
    if seconds == 42:
        assert reserve_pause(answer(200, **headers, date=SENT), NOW) == 102


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("007", 7), ("-7", None), ("7.0", None), ("", None), ("\N{ARABIC-INDIC DIGIT SEVEN}", None)],
)
def test_a_header_is_a_number_or_nothing(text: str, number: int | None) -> None:
    """A server can send anything, also digits that are not ASCII."""
    assert header_number({"n": text}, "n") == number
    assert header_number({}, "n") is None


def test_one_token_is_for_everybody() -> None:
    """Spaces around it come from editors."""
    assert tokens_in(" ghp_1\n") == {"*": "ghp_1"}


def test_several_tokens_are_read_by_owner_in_lower_case() -> None:
    """As GitHub compares owners."""
    assert tokens_in(' {"Octo": " a ", "*": "b"}') == {"octo": "a", "*": "b"}


@pytest.mark.parametrize(
    "secret",
    ["", " ", "two words", "\x00", "ü", "{", "{}", '{"a": ""}', '{"a": 1}', '{"a": "b c"}', '{"a":"b","c":""}'],
)
def test_a_secret_without_a_token_is_refused(secret: str) -> None:
    """The error contains nothing of it."""
    with pytest.raises(GitHubAuthError) as refused:
        tokens_in(secret)

    assert str(refused.value) == "The secret holds no token. Replace it with `traffic token`."
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("name", "owners", "owner"),
    [
        ("Octo/docs", {"octo", "*"}, "octo"),
        ("acme/docs", {"octo", "*"}, "*"),
        ("acme/docs", {"octo"}, None),
        ("*/docs", {"octo"}, None),
    ],
)
def test_a_repository_is_asked_for_with_its_owners_token(name: str, owners: set[str], owner: str | None) -> None:
    """Otherwise with the token for everybody."""
    assert token_owner(name, owners) == owner


def test_a_token_is_named_by_its_owner() -> None:
    """For mails and logs."""
    assert (token_text("*"), token_text("octo")) == ("the token", "the token for octo")
