"""GitHub's answer to a request, without a network: checks in GitHub's order, then the endpoint's own answer."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from itertools import count
from threading import RLock
from typing import Any, cast

from simulated_github import replies
from simulated_github.account import Credentials, SimulatedAccount, SimulatedRepository, bearer
from simulated_github.fault_rules import EndpointKind, FaultRule
from simulated_github.faults import Circumstances, bad_api_version
from simulated_github.limits import Peaks, PrimaryLimit, UserLimits
from simulated_github.replies import LOGIN, Reply, Request, error, json_reply
from simulated_github.repository_lists import listing_reply
from simulated_github.representation import own_user_object, single_repository_object
from simulated_github.simulated_clock import SimulatedClock, format_time
from simulated_github.sources import Metric, Period, TrafficSource

API_VERSIONS = ("2022-11-28",)
ENTERPRISE_VERSION = "3.18.0"
PLACE = re.compile(r"/(?:repos/(?P<name>[^/]+/[^/]+)|repositories/(?P<id>\d+))(?P<rest>/traffic/.+)?")
TRAFFIC: dict[str | None, EndpointKind] = {
    None: "repository",
    "/traffic/views": "views",
    "/traffic/clones": "clones",
    "/traffic/popular/paths": "paths",
    "/traffic/popular/referrers": "referrers",
}
ACCOUNT: dict[str, EndpointKind] = {
    "/user/repos": "list",
    "/installation/repositories": "list",
    "/user": "user",
    "/rate_limit": "rate_limit",
}


@dataclass(frozen=True)
class Call:
    """One call and its result."""

    method: str
    path: str  # with its query
    repository: str | None  # owner/name, the current one if there is such a repository
    endpoint: EndpointKind | None
    status: int | None  # None if the connection was broken
    time: str  # simulated

    def as_json(self) -> dict[str, Any]:
        """Return the call for `GET /_calls`."""
        return asdict(self)


@dataclass(frozen=True)
class RequestTarget:
    """The endpoint and the repository of a request."""

    endpoint: EndpointKind | None = None
    name: str | None = None  # as in the request
    repository: SimulatedRepository | None = None
    moved: bool = False  # the request contains a former name
    rest: str = ""  # the part of the path after the repository

    @property
    def current_name(self) -> str | None:
        """The repository's present name, otherwise the name in the request."""
        return self.repository.name if self.repository else self.name


@dataclass
class GitHubState:
    """The simulated GitHub's state, and its answers; safe to use from several threads."""

    account: SimulatedAccount
    traffic: TrafficSource
    clock: SimulatedClock
    new_limits: Callable[[], UserLimits]  # returns the limits of a user who has not called before
    limit_status: int = 403
    enterprise: bool = False  # an Enterprise Server, which adds its version to every answer
    credentials: Credentials = field(default_factory=Credentials)
    faults: list[FaultRule] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    lock: RLock = field(default_factory=RLock)
    _limits: dict[str, UserLimits] = field(default_factory=dict)  # by login
    _request_ids: Iterator[int] = field(default_factory=count)

    def answer(self, request: Request) -> Reply:
        """Answer one call, and record it."""
        with self.lock:
            now = self.clock.now()
            target = locate(request.path, self.account)
            # The login page belongs to a web site: it checks no token and no limit.
            decided = replies.login_page() if request.path == LOGIN else self._decide(request, target, now)
            reply = self._finish(request, target, decided, now)
            status = None if reply.delivery == "reset" else reply.status
            path = f"{request.path}?{request.query_string}" if request.query_string else request.path
            called = Call(request.method, path, target.current_name, target.endpoint, status, format_time(now))
            self.calls.append(called)
            return reply

    def paced(self, authorization: str) -> AbstractContextManager[int | None]:
        """Count a call with a token for the secondary limits; see `SecondaryLimits.call`."""
        return self._limits_of(bearer(authorization)).minute.call()

    @property
    def peaks(self) -> Mapping[str, Peaks]:
        """The most that each user did in any minute, by login."""
        with self.lock:
            return {login: limits.minute.peaks for login, limits in self._limits.items()}

    def _decide(self, request: Request, target: RequestTarget, now: datetime) -> Reply:
        """Check the request in GitHub's order, from the headers to the limits, then answer."""
        if not request.headers.get("User-Agent"):
            return replies.no_user_agent()
        traffic_of = target.repository.id if target.repository and target.endpoint in TRAFFIC.values() else None
        if not self.credentials.check(_token(request), traffic_of):
            return replies.bad_credentials()
        limit = self._limits_of(_token(request)).hour
        if target.endpoint == "rate_limit":
            return self._with_fault(request, target, _rate_limit(limit, now), now)
        if limit is not None and limit.exhausted(now):
            return replies.limit_exceeded(self.limit_status, self.account.owner_id(self._login_of(_token(request))))
        if request.too_fast is not None:
            return replies.too_fast(self.limit_status, request.too_fast)
        reply = self._with_fault(request, target, self._own_answer(request, target, now), now)
        reply = _tagged(request, reply)
        if limit is not None and reply.status != 304:
            limit.count()
        return reply

    def _own_answer(self, request: Request, target: RequestTarget, now: datetime) -> Reply:
        """Return the answer without a fault or a limit."""
        version = request.headers.get("X-GitHub-Api-Version")
        if version is not None and version not in API_VERSIONS:
            return bad_api_version().spoil(Reply(400), self._circumstances(request, target, now))
        if request.method != "GET" or target.endpoint is None:
            return replies.not_found()
        if target.endpoint == "list":
            return listing_reply(request, self.account, self.credentials)
        if target.endpoint == "user":
            return json_reply(200, own_user_object(self.account, self._login_of(_token(request)), request.api))
        return self._of_repository(request, target, target.endpoint, now)

    def _of_repository(self, request: Request, target: RequestTarget, endpoint: EndpointKind, now: datetime) -> Reply:
        """Answer a request for a repository, if it exists and the account may see it."""
        repository = target.repository
        if repository is None or not self.credentials.sees(_token(request), repository.owner):
            return replies.not_found()
        if target.moved:
            return replies.moved(301, _canonical_url(request, target))
        if repository.owner.lower() in self.account.hidden_owners:
            return replies.sso_required(repository.owner)
        if endpoint == "repository":
            return json_reply(200, single_repository_object(self.account, repository, request.api))
        return self._traffic(request, repository, endpoint, now) if repository.push else replies.no_push_access()

    def _traffic(
        self, request: Request, repository: SimulatedRepository, endpoint: EndpointKind, now: datetime
    ) -> Reply:
        """Answer one of the four traffic endpoints."""
        if endpoint == "paths":
            return json_reply(200, self.traffic.paths(repository, now))
        if endpoint == "referrers":
            return json_reply(200, self.traffic.referrers(repository, now))
        per = request.query.get("per", "day")
        if per not in {"day", "week"}:
            return error(422, "Validation Failed", errors=[{"resource": "Traffic", "field": "per", "code": "invalid"}])
        metric = cast("Metric", endpoint)
        return json_reply(200, self.traffic.counts(repository, metric, now, cast("Period", per)))

    def _login_of(self, token: str) -> str:
        """Return the login of a token's user; by default the account's."""
        return self.credentials.logins.get(token, self.account.login)

    def _limits_of(self, token: str) -> UserLimits:
        """Return the limits of a token's user."""
        login = self._login_of(token)
        with self.lock:
            if login not in self._limits:
                self._limits[login] = self.new_limits()
            return self._limits[login]

    def _with_fault(self, request: Request, target: RequestTarget, reply: Reply, now: datetime) -> Reply:
        """Apply the first fault that matches; each rule counts the calls that it matches."""
        names = {name.lower() for name in (target.name, target.current_name) if name}
        striking = [rule for rule in self.faults if rule.strikes(names, target.endpoint, now)]
        return striking[0].fault.spoil(reply, self._circumstances(request, target, now)) if striking else reply

    def _circumstances(self, request: Request, target: RequestTarget, now: datetime) -> Circumstances:
        """Collect the facts that a fault may depend on."""
        login = self.account.login
        owner = (target.current_name or login).partition("/")[0]
        path = f"{request.path}?{request.query_string}"
        url, number = _canonical_url(request, target), self.account.owner_id(login)

        def answer_at(at: datetime) -> Reply:
            return self._own_answer(request, target, at)

        return Circumstances(now, owner, number, url, path, request.api, answer_at)

    def _finish(self, request: Request, target: RequestTarget, reply: Reply, now: datetime) -> Reply:
        """Add the headers of every answer; the reply's own headers take precedence."""
        headers = {
            "Server": "GitHub.com",
            "Date": format_datetime(now, usegmt=True),
            **({"X-GitHub-Enterprise-Version": ENTERPRISE_VERSION} if self.enterprise else {}),
            "X-GitHub-Request-Id": f"{next(self._request_ids):04X}:51A7:1F2E3D:3C2B1A:{int(now.timestamp()):X}",
        }
        if not reply.from_edge:
            headers |= {
                "Cache-Control": "private, max-age=60, s-maxage=60",
                "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept, X-Requested-With",
                "X-GitHub-Media-Type": "github.v3; format=json",
                "x-github-api-version-selected": request.headers.get("X-GitHub-Api-Version", API_VERSIONS[0]),
                "X-Content-Type-Options": "nosniff",
                **self._token_headers(request, target, reply.status, now),
            }
        return replace(reply, headers={**headers, **reply.headers})

    def _token_headers(self, request: Request, target: RequestTarget, status: int, now: datetime) -> dict[str, str]:
        """Return the headers about the token: its limit, its scopes, its expiry."""
        limit = self._limits_of(_token(request)).hour
        if status == 401:  # the limit of an unknown caller, as recorded
            unknown = PrimaryLimit(60).headers(now) | {"x-ratelimit-remaining": "59", "x-ratelimit-used": "1"}
            return unknown if limit is not None else {}
        headers = limit.headers(now) if limit is not None else {}
        needed = "administration=read" if target.rest else "metadata=read"
        headers["x-accepted-github-permissions"] = needed
        if not _token(request).startswith(("github_pat_", "ghs_")):
            headers |= {"X-OAuth-Scopes": "repo", "X-Accepted-OAuth-Scopes": "repo" if target.rest else ""}
        if self.credentials.expires:
            headers["github-authentication-token-expiration"] = self.credentials.expires
        return headers


def _token(request: Request) -> str:
    return bearer(request.headers.get("Authorization", ""))


def _rate_limit(limit: PrimaryLimit | None, now: datetime) -> Reply:
    """Answer `/rate_limit`, which does not count as a call. An Enterprise Server without limits has no such page."""
    if limit is None:
        return error(404, "Rate limiting is not enabled.")
    limit.exhausted(now)  # begins a new window if the last one has ended
    core = limit.figures(now)
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": int(now.timestamp()) + 60}
    return json_reply(200, {"resources": {"core": core, "search": search}, "rate": core})


def locate(path: str, account: SimulatedAccount) -> RequestTarget:
    """Return the endpoint and the repository of a path."""
    if path in ACCOUNT:
        return RequestTarget(ACCOUNT[path])
    place = PLACE.fullmatch(path)
    if place is None:
        return RequestTarget()
    rest = place["rest"] or ""
    endpoint = TRAFFIC.get(place["rest"])
    if place["id"]:
        return RequestTarget(endpoint, None, account.by_id(int(place["id"])), rest=rest)
    name = place["name"]
    current = account.by_name(name)
    former = None if current else account.by_former_name(name)
    return RequestTarget(endpoint, name, current or former, moved=former is not None, rest=rest)


def _canonical_url(request: Request, target: RequestTarget) -> str:
    """Return the address with the repository's id, to which GitHub's redirects lead."""
    query = f"?{request.query_string}" if request.query_string else ""
    if target.repository is None:
        return f"{request.api}{request.path}{query}"
    return f"{request.api}/repositories/{target.repository.id}{target.rest}{query}"


def _tagged(request: Request, reply: Reply) -> Reply:
    """Add the ETag, which depends on the token; a caller with the same ETag gets a 304."""
    if reply.status != 200 or reply.delivery != "complete" or reply.padding:
        return reply
    token = _token(request)
    etag = f'W/"{hashlib.sha256(token.encode() + b"/" + reply.body).hexdigest()}"'
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in known:
        return Reply(304, headers={"ETag": etag})
    return reply.with_headers(ETag=etag)
