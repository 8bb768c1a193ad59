"""What GitHub's answers mean: the table of signals, the end of the API's version, another server's web page. Pure.

Source:
    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    https://docs.github.com/en/rest/about-the-rest-api/api-versions
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from traffic.clock import day_of, days_before, from_http
from traffic.contract import VersionEnd
from traffic.settings import API_ADDRESSES

API_VERSION = "2022-11-28"
SUPPORTED_UNTIL = "2028-03-10"  # at least: 24 months after the next version, 2026-03-10
SOON = 30  # days
LONGEST_DATE = 40  # characters of a header that is not a date: the listing travels from state to state

CAPTURED = "captured"
FAILED = "failed"
SSO_NEEDED = "token not authorized for the organization"
NO_PUSH_ACCESS = "no push access"
NO_PERMISSION = "token lacks Administration (read)"
LIFETIME_FORBIDDEN = "token lives longer than the organization allows"
ADDRESS_NOT_ALLOWED = "address not on the organization's IP allow list"
BLOCKED = "access blocked by GitHub"
GONE = "gone or hidden"
REFUSED = "refused"

LONGEST_MESSAGE = 500  # characters; GitHub's longest known refusal has about 300, and ends with the address to go to


class Meaning(Enum):
    """What a caller of GitHub should do about an answer."""

    FINE = auto()  # use it
    TRANSIENT = auto()  # wait, then ask again
    MOVED = auto()  # ask at the address in `location`
    BAD_TOKEN = auto()  # end the run
    LIMITED = auto()  # wait as long as GitHub requires
    SECONDARY_LIMITED = auto()  # wait longer each time, because GitHub does not announce the end
    REFUSED = auto()  # skip this repository, and report it
    OUR_BUG = auto()  # end the run, and report it


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, or the reason why there is no answer.

    Attributes:
        status: HTTP status; None if no complete answer came.
        headers: Names in lower case.
        body: As received, decompressed; if no complete answer came, a sentence that explains why.
        seconds: The response time: until the headers came or, without an answer, until the call was given up.
    """

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    seconds: float = field(default=0.0, compare=False)

    def json(self) -> Any:
        """Read the body.

        Raises:
            ValueError: The body is not JSON, or is nested too deeply to be GitHub's.
        """
        try:
            return json.loads(self.body)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc

    def message(self) -> str:
        """Return the message in GitHub's refusal, or the start of the body; at most 500 characters."""
        try:
            message = self.json()["message"]
        except (ValueError, TypeError, KeyError):
            message = self.body.decode("utf-8", "replace")
        return cut_between_words(str(message), LONGEST_MESSAGE)

    def documentation(self) -> str:
        """Return the address of the documentation that GitHub links to; empty if it links to none."""
        try:
            return str(self.json()["documentation_url"])
        except (ValueError, TypeError, KeyError):
            return ""


def cut_between_words(text: str, longest: int) -> str:
    """Write a text in one line of at most `longest` characters, and cut it between two words.

    GitHub often ends a refusal with the address of the page that removes the cause. Half an address leads nowhere, or
    to the wrong page.
    """
    line = " ".join(text.encode("utf-8", "replace").decode().split())  # replaces halves of characters
    if len(line) <= longest:
        return line
    return f"{line[: max(line.rfind(' ', 0, longest - 3), 0)]} ...".lstrip()


class Verdict(NamedTuple):
    """What an answer means, and the outcome to report."""

    meaning: Meaning
    outcome: str = ""


_TRANSIENT = Verdict(Meaning.TRANSIENT, FAILED)
_LIMITED = Verdict(Meaning.LIMITED)
_SECONDARY = Verdict(Meaning.SECONDARY_LIMITED)

_MOVED = Verdict(Meaning.MOVED, REFUSED)

_PAGES = ("text/html", "application/xhtml+xml")

# With these meanings GitHub's API sends JSON. At limits, and when it fails, GitHub sends web pages, too.
_JSON = (Meaning.FINE, Meaning.BAD_TOKEN, Meaning.REFUSED, Meaning.OUR_BUG)

_BY_STATUS = {
    200: Verdict(Meaning.FINE, CAPTURED),
    301: _MOVED,
    302: _MOVED,
    307: _MOVED,
    308: _MOVED,
    400: Verdict(Meaning.OUR_BUG),
    401: Verdict(Meaning.BAD_TOKEN),
    404: Verdict(Meaning.REFUSED, GONE),
    408: _TRANSIENT,
    410: Verdict(Meaning.OUR_BUG),
    422: Verdict(Meaning.OUR_BUG),
    451: Verdict(Meaning.REFUSED, BLOCKED),
}

# Words in GitHub's message, in lower case, and what they mean for the repository. The first match counts.
# Source: https://github.com/NixOS/org/issues/247 (lifetime), https://github.com/SalesforceFoundation/NPSP/issues/7247
# (IP allow list): users recorded these messages; the documentation describes the policies only.
_REFUSALS = (
    ("saml enforcement", SSO_NEEDED),
    ("if the token's lifetime is greater than", LIFETIME_FORBIDDEN),
    ("has an ip allow list enabled", ADDRESS_NOT_ALLOWED),
    ("must have push access", NO_PUSH_ACCESS),
    ("admin rights", NO_PUSH_ACCESS),
    ("resource not accessible by", NO_PERMISSION),
    ("repository access blocked", BLOCKED),
    ("upgrade to github pro", BLOCKED),
)


def classify(answer: Answer) -> Verdict:
    """Return what an answer of GitHub means.

    A 200 counts as fine here. Whoever reads its body checks that the body is complete and has the right shape.
    An answer that GitHub's API never sends is temporary: it neither accepts nor refuses anything in GitHub's name.
    """
    verdict = _classify_by_status(answer)
    return _TRANSIENT if verdict.meaning in _JSON and stranger(answer) else verdict


def _classify_by_status(answer: Answer) -> Verdict:
    status = answer.status
    if status in (403, 429):
        return _classify_refusal(answer)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Verdict(Meaning.REFUSED, REFUSED) if status is not None and 400 <= status < 500 else _TRANSIENT


def _classify_refusal(answer: Answer) -> Verdict:
    """Distinguish limits from refusals: GitHub sends 403 or 429 for both kinds of limit, and 403 for permissions."""
    message, headers = answer.message().lower(), answer.headers
    refusal = next((outcome for words, outcome in _REFUSALS if words in message), None)
    if "x-github-sso" in headers and refusal is None:
        refusal = SSO_NEEDED
    if "retry-after" in headers:
        return _LIMITED
    if headers.get("x-ratelimit-remaining") == "0" and refusal is None:
        return _LIMITED
    if _is_secondary_limit(answer, message):
        return _SECONDARY
    return Verdict(Meaning.REFUSED, refusal or REFUSED)


def _is_secondary_limit(answer: Answer, message: str) -> bool:
    return (
        answer.status == 429
        or "gh-limited-by" in answer.headers
        or "rate limit" in message
        or "abuse detection" in message
        or answer.documentation().endswith(("secondary-rate-limits", "abuse-rate-limits"))
    )


NOT_GITHUBS = "JSON that is not GitHub's"  # what a server answers if only a reader of the content can see it


def stranger(answer: Answer) -> str:
    """Describe what answered instead of GitHub's API, such as a proxy or a network's sign-in page.

    Returns:
        For example "a web page"; empty if GitHub's API can have sent the answer. The beginning of a JSON text is not a
        stranger's: the connection was cut.

    Source:
        https://www.rfc-editor.org/rfc/rfc6585#section-6 (511: the network wants people to sign in)
    """
    meaning = _classify_by_status(answer).meaning
    if answer.status == 511:
        return "a request to sign in to the network (511)"
    if meaning is Meaning.MOVED:  # the client follows GitHub's own redirects
        return "a redirect"
    if meaning not in _JSON:
        return ""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _PAGES or answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "a web page"
    return "" if kind in ("", "application/json") or is_json(answer) else "a text that is not JSON"


def is_json(answer: Answer) -> bool:
    """Return whether the body is JSON, and complete."""
    try:
        answer.json()
    except ValueError:
        return False
    return True


def not_the_api(url: str, answered: str) -> str:
    """Write the error for an address at which something other than GitHub's API answers.

    Args:
        url: The value of GITHUB_API_URL.
        answered: What answered instead, for example "a web page".
    """
    return (
        f"GITHUB_API_URL is not an address of GitHub's API: {urlsplit(url).hostname} answers with {answered}."
        f" Expected {API_ADDRESSES}. Correct GITHUB_API_URL or, for a stack in AWS, the parameter GitHubApiUrl."
        " If the address is right, a proxy or a network's sign-in page answers in its place: sign in, or bypass it."
    )


def version_end(headers: Mapping[str, str]) -> VersionEnd:
    """Read when GitHub deprecates the version (`Deprecation`) and stops answering it (`Sunset`).

    Args:
        headers: With names in lower case.

    Returns:
        Days, `2028-03-10`; a header that is not an HTTP date is shortened instead. Empty while GitHub sends none.
    """
    end: VersionEnd = {}
    if "deprecation" in headers:
        end["deprecated"] = _day(headers["deprecation"])
    if "sunset" in headers:
        end["sunset"] = _day(headers["sunset"])
    return end


def version_end_text(end: VersionEnd) -> str:
    """Write for people when GitHub ends the version."""
    steps = [f"deprecates it on {end['deprecated']}"] if "deprecated" in end else []
    steps += [f"stops answering it on {end['sunset']}"] if "sunset" in end else []
    return (
        f"this program uses version {API_VERSION} of GitHub's API, supported until {SUPPORTED_UNTIL} at least;"
        f" now GitHub {' and '.join(steps)}"
    )


def ends_soon(end: VersionEnd, today: str) -> bool:
    """Return whether GitHub stops answering the version within 30 days, or has stopped already."""
    try:
        return days_before(end.get("sunset", ""), SOON) <= today
    except ValueError:
        return False


def _day(text: str) -> str:
    moment = from_http(text)
    return text[:LONGEST_DATE] if moment is None else day_of(moment)
