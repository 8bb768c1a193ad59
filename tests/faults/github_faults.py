"""Every failure or refusal of GitHub, and its reach: the rows of the GitHub side of the matrix."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Thread
from time import sleep
from typing import Literal

from simulated_github import SimulatedGitHub, faults, replies
from simulated_github.faults import Circumstances, Fault
from simulated_github.replies import Reply
from traffic.github import answers

STALE = "2026-11-15T09:00:00Z"  # the time of a stale copy, five days before the runs of the matrix

Reach = Literal["repository", "limit", "run"]  # the reach of a fault at a repository's endpoint

ENDPOINTS = ("views", "clones", "referrers", "paths")  # of a repository; the listing asks for a user and two pages

DURATIONS: Mapping[str, int | None] = {"once": 1, "lasting": None}

LIMIT = 40  # seconds of the pause that GitHub requests

MOVED = (301, 302, 307, 308)

ARRIVED = "moved=1"  # in the address after a redirect


@dataclass(frozen=True)
class GitHubError:
    """One kind of failure or refusal of GitHub.

    Attributes:
        name: Its name in the matrix.
        fault: The fault of the simulated GitHub.
        reach: Whether it affects only a repository, makes its child wait, or ends the run.
        outcome: The outcome of the repository, if it is refused.
    """

    name: str
    fault: Fault
    reach: Reach = "repository"
    outcome: str = ""


@dataclass
class Strike:
    """An error of a number of calls or, for the list, of one page.

    Attributes:
        error: The error.
        times: The number of calls that fail; None for all.
        page: The page of the list; None for any.
        struck: The number of calls that have failed.
    """

    error: GitHubError
    times: int | None
    page: int | None = None
    struck: int = field(default=0, init=False)

    @property
    def fault(self) -> Fault:
        """The fault for the simulated GitHub."""
        return Fault(self.error.fault.name, self.spoil)

    def spoil(self, reply: Reply, circumstances: Circumstances) -> Reply:
        """Let a call fail if it is one of those to fail."""
        meant = self.page in (None, 2 if "page=2" in circumstances.path else 1) and ARRIVED not in circumstances.path
        if not meant or (self.times is not None and self.struck >= self.times):
            return reply
        self.struck += 1
        return self.error.fault.spoil(reply, circumstances)


@dataclass
class Outage:
    """GitHub no longer answers a call, and from then on refuses connections.

    Attributes:
        github: The GitHub that stops.
        seconds: The duration; None until `end`.
        page: The page of the list; None for any call.
        struck: The number of interrupted calls; refused connections cannot be counted.
    """

    github: SimulatedGitHub
    seconds: float | None
    page: int | None = None
    struck: int = field(default=0, init=False)
    _thread: Thread | None = field(default=None, init=False)

    @property
    def fault(self) -> Fault:
        """The fault for the simulated GitHub."""
        return Fault("connection_refused", self.spoil)

    def spoil(self, reply: Reply, circumstances: Circumstances) -> Reply:
        """Stop GitHub, once."""
        if self._thread or self.page not in (None, 2 if "page=2" in circumstances.path else 1):
            return reply
        self.struck += 1
        self._thread = Thread(target=self._happen)
        self._thread.start()
        return replace(reply, delivery="reset")

    def _happen(self) -> None:
        self.github.__exit__()
        if self.seconds is not None:
            sleep(self.seconds)
            self.github.__enter__()

    def end(self) -> None:
        """Let GitHub answer again."""
        if self._thread is not None:
            self._thread.join()
            if self.seconds is None:
                self.github.__enter__()


def every_error(elsewhere: str) -> list[GitHubError]:
    """Return the rows: GitHub's table of answers, each with all its signs.

    Args:
        elsewhere: The address of another host, for redirects that must not be followed.

    Source:
        https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    return [*transient(), *redirects(elsewhere), *harmless(), *refusals(), stale(), *limits(), *ends()]


def transient() -> list[GitHubError]:
    """Return temporary errors, except a refused connection: see `Outage`."""
    made = {
        "connection reset": faults.connection_reset(),
        "timeout": faults.hang(30),
        "slow drip": faults.drip(6),
        "truncated body": faults.truncated_body(),
        "malformed 200": faults.malformed_json(),
        "HTML 200": faults.html_200(),
        "401 sign-in page": faults.html_refusal(),
        "text 200": faults.text_instead(),
        "nested 200": faults.deeply_nested(),
        "oversized 200": faults.oversized_body(9_000_000),
        "HTML Unicorn": faults.unicorn(),
        **{str(status): faults.server_error(status) for status in (500, 502, 503, 504)},
    }
    return [GitHubError(name, fault) for name, fault in made.items()]


def redirects(elsewhere: str) -> list[GitHubError]:
    """Return redirects to the same host, to another one, and in a circle."""
    kinds: Mapping[str, Callable[[int], Fault]] = {
        "to the same host": moved,
        "to another host": lambda status: faults.redirect(status, f"{elsewhere}/user/repos"),
        "in a circle": faults.redirect,
    }
    return [
        *(GitHubError(f"{status} {kind}", make(status)) for kind, make in kinds.items() for status in MOVED),
        GitHubError("302 to another host's root", faults.redirect_to_other_host(elsewhere)),
        GitHubError("302 to the login page", faults.login_redirect()),
        GitHubError("302 to another host's login page", faults.login_redirect(elsewhere)),
    ]


def harmless() -> list[GitHubError]:
    """Return answers that must not affect a run."""
    return [
        GitHubError("Link of a proxied server", faults.links_of_a_proxied_server()),
        GitHubError("version closing down", faults.version_closing_down()),
    ]


def moved(status: int) -> Fault:
    """Redirect to the canonical address, which has the answer."""

    def spoil(_reply: Reply, circumstances: Circumstances) -> Reply:
        url = circumstances.canonical_url
        return replies.moved(status, f"{url}{'&' if '?' in url else '?'}{ARRIVED}")

    return Fault("redirect", spoil)


def refusals() -> list[GitHubError]:
    """Return the refusals of a repository."""
    return [
        GitHubError("403 SSO", faults.sso_required(), outcome=answers.SSO_NEEDED),
        GitHubError("403 push access", faults.no_push_access(), outcome=answers.NO_PUSH_ACCESS),
        GitHubError("403 admin rights", faults.admin_rights(), outcome=answers.NO_PUSH_ACCESS),
        GitHubError("403 token's permission", faults.not_accessible_by_token(), outcome=answers.NO_PERMISSION),
        GitHubError(
            "403 App's permission", faults.not_accessible_by_token("integration"), outcome=answers.NO_PERMISSION
        ),
        GitHubError("403 token's lifetime", faults.lifetime_forbidden(), outcome=answers.LIFETIME_FORBIDDEN),
        GitHubError("403 IP allow list", faults.ip_allow_list(), outcome=answers.ADDRESS_NOT_ALLOWED),
        GitHubError("403 blocked", faults.blocked(403), outcome=answers.BLOCKED),
        GitHubError("451 blocked", faults.blocked(451), outcome=answers.BLOCKED),
        GitHubError("403 upgrade to Pro", faults.upgrade_to_pro(), outcome=answers.BLOCKED),
        GitHubError("404", faults.not_found(), outcome=answers.GONE),
    ]


def stale() -> GitHubError:
    """Return the error of a stale copy: a 200 that lacks the newest days."""
    return GitHubError("stale copy", faults.stale_copy(STALE))


def limits() -> list[GitHubError]:
    """Return the limits, with each of their signs."""
    made = {
        **{f"{status} primary limit": faults.primary_limit(LIMIT, status) for status in (403, 429)},
        **{f"{status} retry-after": faults.retry_after(LIMIT, status) for status in (403, 429)},
        "403 retry-after a date": faults.retry_after(LIMIT, as_http_date=True),
        "403 secondary limit": faults.secondary_limit("all"),
        "403 secondary limit by its message": faults.secondary_limit("message"),
        "403 secondary limit by the older message": faults.secondary_limit("abuse"),
        "403 secondary limit by its documentation": faults.secondary_limit("documentation"),
        "403 secondary limit by a header": faults.secondary_limit("header"),
        "429 secondary limit": faults.secondary_limit("all", 429),
        "429 secondary limit by nothing else": faults.secondary_limit("bare", 429),
    }
    return [GitHubError(name, fault, "limit") for name, fault in made.items()]


def ends() -> list[GitHubError]:
    """Return the errors that end the run."""
    made = {
        "401": faults.bad_credentials(),
        "400 version": faults.bad_api_version(),
        "410": faults.gone(),
        "422": faults.unprocessable(),
    }
    return [GitHubError(name, fault, "run") for name, fault in made.items()]


def with_reach(errors: Sequence[GitHubError], reach: Reach) -> list[GitHubError]:
    """Return the errors with a reach."""
    return [error for error in errors if error.reach == reach]
