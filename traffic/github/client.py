"""Calls GitHub: bounded in time and size, on one host, and without the token in any text.

Source:
    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
"""

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from traffic.github.answers import API_VERSION, Answer, Meaning, classify

CALL_SECONDS = 20.0  # for a complete call: the timeouts of `requests` bound only the silence between two bytes
SILENCE_SECONDS = (5.0, 15.0)  # to connect, and between two bytes
MAX_BODY = 8 * 1024 * 1024  # bytes; a page of 100 repositories is about 0.6 MB
MAX_REDIRECTS = 3
MOST_AT_ONCE = 16  # calls, each on a connection of its own

# GitHub's address of a repository by its id.
BY_ID = re.compile(r"^https?://[^/?#@\\]+(/api/v3)?/repositories/\d+(/|$)")

Wanted = tuple[str, Mapping[str, str] | None]  # a path and its parameters

HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": "github-traffic-capture",
    "X-GitHub-Api-Version": API_VERSION,
}


class _Bearer(requests.auth.AuthBase):
    """Sends the token. As `auth`, because `requests` would otherwise send what `.netrc` has for the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    """Follows no redirect: `requests` would read the complete body of each, of any size, even with `stream=True`."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - `requests`' signature
        """Return None: no answer leads to another address."""
        return None


class GitHub:
    """GitHub's REST API at one address.

    Args:
        api_url: As `check_api_url` returns it.
        read_token: Returns the token; with `fresh=True`, the present one instead of a cached one.
        call_seconds: How long a complete call may take.
    """

    def __init__(self, api_url: str, read_token: Callable[..., str], *, call_seconds: float = CALL_SECONDS) -> None:
        self.api_url = api_url
        self._read_token = read_token
        self._call_seconds = call_seconds
        self._session = _session()
        self._counting = threading.Lock()
        self.calls = 0
        self.remaining: int | None = None  # calls left, as of GitHub's last answer

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Ask for a path such as `/user/repos`, or for an address that GitHub sent, on the same host.

        Follow at most three redirects on the same host. If GitHub refuses the token, read it once more, and ask again
        only if it has changed: GitHub locks out the owner of a refused token that is repeated. All of that takes no
        longer than one call may.
        """
        return self.get_all([(path, params)])[0]

    def get_all(self, wanted: Sequence[Wanted], heard: Callable[[Answer], None] = lambda _: None) -> list[Answer]:
        """Ask for a few paths at once, each as `get` does, and return the answers in the same order.

        Args:
            wanted: The paths.
            heard: Called with each answer as soon as it comes, in any thread: another one may take much longer.
        """
        ends = time.monotonic() + self._call_seconds
        token = self._read_token()
        answers = self._follow_all(wanted, token, ends, heard)
        refused = [place for place, answer in enumerate(answers) if classify(answer).meaning is Meaning.BAD_TOKEN]
        if refused:
            fresh = self._read_token(fresh=True)
            if fresh != token:
                again = self._follow_all([wanted[place] for place in refused], fresh, ends, heard)
                for place, answer in zip(refused, again, strict=True):
                    answers[place] = answer
        self._note_remaining(answers)
        return answers

    def is_own(self, url: str) -> bool:
        """Return whether an address is on the configured host, the only one that may receive the token."""
        try:
            return _origin(url) == _origin(self.api_url)
        except LocationParseError:
            return False

    def address(self, path: str) -> str:
        """Return the address of a path such as `/user/repos`; an address is returned unchanged."""
        return path if urlsplit(path).scheme else f"{self.api_url}{path}"

    def on_own_host(self, url: str) -> str:
        """Return the address with the same path and query on the configured host.

        An Enterprise Server behind a proxy writes its own name into `Link`: path and query are right, the host is not.

        Raises:
            LocationParseError: `url` is not an address.

        Source:
            https://github.com/renovatebot/renovate/issues/19817
        """
        own, parts = parse_url(self.api_url), parse_url(url)
        return f"{own.scheme}://{own.netloc}{parts.request_uri}"

    def _follow_all(
        self, wanted: Sequence[Wanted], token: str, ends: float, heard: Callable[[Answer], None]
    ) -> list[Answer]:
        def follow(each: Wanted) -> Answer:
            answer = self._follow(*each, token, ends)
            heard(answer)
            return answer

        with ThreadPoolExecutor(len(wanted)) as callers:
            return list(callers.map(follow, wanted))

    def _follow(self, path: str, params: Mapping[str, str] | None, token: str, ends: float) -> Answer:
        url = self.address(path)
        for _ in range(MAX_REDIRECTS + 1):
            if not self.is_own(url):
                return Answer(302, {}, b'{"message": "redirected to another host; the token is not sent there"}')
            answer = self._call(url, params, token, max(ends - time.monotonic(), 0.0))
            if classify(answer).meaning is not Meaning.MOVED:
                return answer
            url, params = self._moved_to(_joined(url, answer.headers.get("location", ""))), None
        return Answer(answer.status, answer.headers, b'{"message": "redirected more than 3 times"}')

    def _moved_to(self, location: str) -> str:
        """Return where a redirect leads; for a renamed repository, its address by id on the configured host.

        An Enterprise Server behind a proxy names another host in redirects, as it does in `Link`.
        """
        if self.is_own(location) or not BY_ID.search(location):
            return location
        try:
            return self.on_own_host(location)
        except LocationParseError:
            return location

    def _call(self, url: str, params: Mapping[str, str] | None, token: str, seconds: float) -> Answer:
        """Make one call in its own thread: nothing else bounds headers or a body that arrive byte by byte."""
        with self._counting:
            self.calls += 1
        done: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        session = self._session
        threading.Thread(target=lambda: done.put(_ask(session, url, params, token, seconds)), daemon=True).start()
        try:
            answer = done.get(timeout=seconds)
        except queue.Empty:
            self._session = _session()  # the thread that hangs still uses the old one
            return Answer(None, {}, f"no complete answer within {self._call_seconds:g} s".encode(), seconds)
        return answer

    def _note_remaining(self, answers: Sequence[Answer]) -> None:
        """Note how many calls are left: the lowest number, because the answers come in any order."""
        left = [answer.headers.get("x-ratelimit-remaining", "") for answer in answers]
        self.remaining = min((int(each) for each in left if each.isascii() and each.isdigit()), default=self.remaining)


def _ask(session: requests.Session, url: str, params: Mapping[str, str] | None, token: str, seconds: float) -> Answer:
    """Ask, and read the complete body. An error of the connection becomes an answer without a status."""
    began = time.monotonic()
    ends = began + seconds
    try:
        with session.get(
            url,
            params=params,
            auth=_Bearer(token),
            headers=HEADERS,
            timeout=SILENCE_SECONDS,
            stream=True,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            for chunk in response.iter_content(64 * 1024):
                body += chunk
                if len(body) > MAX_BODY or time.monotonic() > ends:
                    return Answer(None, {}, b"the answer is too large or too slow", time.monotonic() - began)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, bytes(body), response.elapsed.total_seconds())
    except (requests.RequestException, OSError, ValueError) as exc:
        # The name only: the text can contain the address.
        return Answer(None, {}, type(exc).__name__.encode(), time.monotonic() - began)


def _session() -> requests.Session:
    session = _Session()
    # No retries by urllib3: it would sleep as long as Retry-After says, up to six hours, in a Lambda that is paid for.
    for scheme in ("https://", "http://"):
        session.mount(
            scheme, HTTPAdapter(pool_connections=1, pool_maxsize=MOST_AT_ONCE, max_retries=0, pool_block=True)
        )
    return session


def _joined(url: str, location: str) -> str:
    """Return the address that a redirect leads to; an invalid address is returned unchanged and never trusted."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _origin(url: str) -> tuple[str | None, str | None, int | None]:
    r"""Read scheme, host and port. Parse as urllib3 does, because it makes the connection.

    In `https://evil.example\@api.github.com/` Python's own parser finds the host api.github.com; urllib3, and therefore
    `requests`, connects to evil.example.

    Raises:
        LocationParseError: `url` is not an address.
    """
    parts = parse_url(url)
    return parts.scheme, parts.host, parts.port or {"https": 443, "http": 80}.get(parts.scheme or "")
