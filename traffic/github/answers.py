"""What GitHub's answers mean: the table of signals, once, in one place.

Source:
    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

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

    FINE = "use it"
    TRANSIENT = "back off, then ask again"
    MOVED = "ask at the address in `location`"
    BAD_TOKEN = "end the run"  # noqa: S105 (a meaning, not a password)
    LIMITED = "wait as long as GitHub says"
    SECONDARY_LIMITED = "wait longer each time: GitHub does not say how long"
    REFUSED = "skip this repository and say so"
    OUR_BUG = "end the run and say so"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, or what stood in its way.

    Attributes:
        status: HTTP status; None where no whole answer came.
        headers: Names in lower case.
        body: As received, decompressed; where no answer came, a sentence that says why.
    """

    status: int | None
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body.

        Raises:
            ValueError: It is not JSON, or nested too deeply to be GitHub's.
        """
        try:
            return json.loads(self.body)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc

    def message(self) -> str:
        """Return GitHub's own words on a refusal, or the start of the body; at most 500 characters."""
        try:
            said = self.json()["message"]
        except (ValueError, TypeError, KeyError):
            said = self.body.decode("utf-8", "replace")
        return whole_words(str(said), LONGEST_MESSAGE)

    def documentation(self) -> str:
        """Give the address of the documentation that GitHub points to, empty where it points to none."""
        try:
            return str(self.json()["documentation_url"])
        except (ValueError, TypeError, KeyError):
            return ""


def whole_words(text: str, longest: int) -> str:
    """Write a text in one line of at most so many characters, cut between two words.

    GitHub often ends a refusal with the address that mends it. Half an address leads nowhere, or to the wrong place.
    """
    line = " ".join(text.encode("utf-8", "replace").decode().split())  # without halves of characters
    if len(line) <= longest:
        return line
    return f"{line[: max(line.rfind(' ', 0, longest - 3), 0)]} ...".lstrip()


@dataclass(frozen=True)
class Verdict:
    """What an answer means, and for a refusal or failure the outcome to report."""

    meaning: Meaning
    outcome: str = ""


_TRANSIENT = Verdict(Meaning.TRANSIENT, FAILED)
_LIMITED = Verdict(Meaning.LIMITED)
_SECONDARY = Verdict(Meaning.SECONDARY_LIMITED)

_MOVED = Verdict(Meaning.MOVED, REFUSED)

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

# GitHub's words, in lower case, and what they mean for the repository. First match wins.
# Source: https://github.com/NixOS/org/issues/247 (lifetime), https://github.com/SalesforceFoundation/NPSP/issues/7247
# (IP allow list): users' recordings; the documentation has the policies, but not the words.
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
    """Say what an answer of GitHub means.

    A 200 is taken at its word here; whether its body is whole and of the right shape is for its reader to say.
    """
    status = answer.status
    if status in (403, 429):
        return _classify_refusal(answer)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Verdict(Meaning.REFUSED, REFUSED) if status is not None and 400 <= status < 500 else _TRANSIENT


def _classify_refusal(answer: Answer) -> Verdict:
    """Tell limits and refusals apart: GitHub sends 403 or 429 for both kinds of limit, and 403 for permissions."""
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
