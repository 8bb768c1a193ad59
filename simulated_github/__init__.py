"""A GitHub on loopback for the demo, the tests and the benchmarks: with real windows, lags, limits and faults.

It serves in a thread of its own: `with SimulatedGitHub(repositories=["octo/open"]) as github: ...`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from threading import Event, Thread
from typing import Self, Unpack

from aiohttp import web

from simulated_github.account import (
    TOPICS,
    Credentials,
    Property,
    SimulatedAccount,
    SimulatedRepository,
    Tokens,
    made_up_names,
)
from simulated_github.fault_rules import FaultRule, Strikes, fault_rule
from simulated_github.faults import Fault
from simulated_github.github import Call, GitHubState
from simulated_github.limits import GITHUBS_CEILINGS, NO_CEILINGS, Peaks, PrimaryLimit, SecondaryLimits, UserLimits
from simulated_github.server import application
from simulated_github.simulated_clock import SimulatedClock, parse_time
from simulated_github.sources import SeededTraffic, TrafficSource
from simulated_github.true_traffic import DayTraffic
from simulated_github.windows import Regime, Stall, WindowRules, window

DEFAULT_REPOSITORIES = 12


class SimulatedGitHub(AbstractContextManager["SimulatedGitHub"]):
    """Serves GitHub's API on 127.0.0.1 during its `with` block.

    Changes while it runs (`rename`, `refuse`, `at`, ...) take effect with the next call.

    Args:
        repositories: Their `owner/name`, or how many to make up.
        owners: Owners of made-up repositories; the first is the account itself.
        readable: `owner/name` of repositories that the account sees without push access.
        seed: The same seed results in the same numbers.
        regime: GitHub's window of days; by default the one that was used at the simulated time.
        lag: Days by which GitHub's newest day is older than usual.
        stalls: Times (from, to) between which GitHub's newest day does not change.
        limit: Calls granted to a user in a window; None for an Enterprise Server without any limits.
        limit_window: The window's length in seconds.
        limit_status: The status of a refused call beyond the limit: 403 or 429.
        secondary: Enforce GitHub's limits of calls a minute, calls at once and processor time.
        minute_scale: Length of their minute, as a share of a real one, for tests with shortened waits.
        latency: Seconds that every answer takes.
        at: The simulated time, which goes on with real speed; by default the real time.
        token: The valid tokens; by default any token. A mapping adds the owners whose repositories each token sees.
        users: The login of each token's user. Tokens of one user share its limits. By default each token in a mapping
            is a user of its own, and every other token is the account's.
        token_expires: The header `github-authentication-token-expiration`: `2027-01-31 10:13:04 UTC`.
        port: The port; by default a free one.
        base_path: `/api/v3` for GitHub Enterprise Server.
        source: The source of the numbers, instead of the seed.
    """

    def __init__(  # noqa: PLR0913  # one keyword for each difference between GitHubs
        self,
        *,
        repositories: Sequence[str] | int = DEFAULT_REPOSITORIES,
        owners: Sequence[str] = ("octo", "octo-org"),
        readable: Sequence[str] = (),
        seed: int = 0,
        regime: Regime = "by-date",
        lag: int = 0,
        stalls: Sequence[tuple[str, str]] = (),
        limit: int | None = 5000,
        limit_window: float = 3600,
        limit_status: int = 403,
        secondary: bool = True,
        minute_scale: float = 1,
        latency: float = 0,
        at: datetime | str | None = None,
        token: str | Tokens | None = None,
        users: Mapping[str, str] | None = None,
        token_expires: str | None = None,
        port: int = 0,
        base_path: str = "",
        source: TrafficSource | None = None,
    ) -> None:
        frozen = tuple(Stall(parse_time(since), parse_time(until)) for since, until in stalls)
        self._rules = WindowRules(regime=regime, lag=lag, stalls=frozen, seed=seed)
        clock = SimulatedClock(parse_time(at) if isinstance(at, str) else at)
        ceilings = GITHUBS_CEILINGS if secondary and limit is not None else NO_CEILINGS
        self.github = GitHubState(
            account=_account(repositories, owners, readable),
            traffic=source or SeededTraffic(seed, self._rules),
            clock=clock,
            new_limits=lambda: UserLimits(
                None if limit is None else PrimaryLimit(limit, limit_window),
                SecondaryLimits(clock, ceilings, scale=minute_scale),
            ),
            limit_status=limit_status,
            enterprise=bool(base_path) or regime == "rolling",  # GitHub itself no longer uses the rolling window
            credentials=Credentials([token] if isinstance(token, str) else token, token_expires, users),
        )
        self.port = port
        self.url = ""
        self._base_path = base_path
        self._latency = latency
        self._problem: OSError | None = None

    def __enter__(self) -> Self:
        """Start serving.

        Raises:
            OSError: The port is taken.
        """
        self._ready = Event()
        self._thread = Thread(target=self._run, name="simulated GitHub", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._problem is not None:
            raise self._problem
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop serving, and close the connections of clients that still wait."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def names(self) -> list[str]:
        """The `owner/name` of every repository, in order."""
        return [repository.name for repository in self.github.account.sorted_by_name()]

    @property
    def calls(self) -> list[Call]:
        """Every call so far."""
        with self.github.lock:
            return list(self.github.calls)

    @property
    def peaks(self) -> Mapping[str, Peaks]:
        """The most that each user did in any minute, by login."""
        return self.github.peaks

    def at(self, at: datetime | str) -> None:
        """Set the simulated time, as `POST /_at` does."""
        with self.github.lock:
            self.github.clock.set(parse_time(at) if isinstance(at, str) else at)

    def truth(self, repository: str, first: str | None = None, last: str | None = None) -> Mapping[str, DayTraffic]:
        """Return the true numbers of complete days.

        Args:
            repository: Its current owner/name.
            first: The first day (`2026-11-01`); by default the days that GitHub returns now.
            last: The last day; by default `first` alone.
        """
        with self.github.lock:
            days = list(window(self.github.clock.now(), self._rules).days())
            if first:
                begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
                days = [begin + timedelta(days=n) for n in range((end - begin).days + 1)]
            source, found = self.github.traffic, self.github.account.get(repository)
            return {day.isoformat(): truth for day in days if (truth := source.truth(found, day))}

    def add_fault(self, fault: Fault, **strikes: Unpack[Strikes]) -> FaultRule:
        """Add a fault for the calls that match `strikes`, by default for every call from now on."""
        rule = fault_rule(fault, strikes)
        with self.github.lock:
            self.github.faults.append(rule)
        return rule

    def refuse(self, repository: str, fault: Fault) -> FaultRule:
        """Add a fault for every call for a repository."""
        return self.add_fault(fault, repository=repository)

    def clear_faults(self) -> None:
        """Remove every fault."""
        with self.github.lock:
            self.github.faults.clear()

    def create(self, name: str, **properties: Property) -> SimulatedRepository:
        """Create a repository, with a new id even if there was one of that name."""
        with self.github.lock:
            return self.github.account.create(name, **properties)

    def rename(self, name: str, to: str) -> None:
        """Rename a repository, or transfer it to another owner."""
        with self.github.lock:
            self.github.account.rename(name, to)

    def delete(self, name: str) -> None:
        """Delete a repository."""
        with self.github.lock:
            self.github.account.delete(name)

    def change(self, name: str, **properties: Property) -> None:
        """Change any of private, internal, fork, archived, push, admin and topics of a repository."""
        with self.github.lock:
            self.github.account.change(name, **properties)

    def hide_organization(self, login: str) -> None:
        """Let an organization require an authorized token (SSO)."""
        with self.github.lock:
            self.github.account.hide_organization(login)

    def revoke_token(self, *, after_calls: int | None = None, after_repositories: int | None = None) -> None:
        """Revoke every token, at once or at the first call beyond so many calls or repositories."""
        with self.github.lock:
            if after_calls is None and after_repositories is None:
                self.github.credentials.revoke()
            self.github.credentials.revoke_after(calls=after_calls, repositories=after_repositories)

    def accept_token(self, token: str) -> None:
        """Make a token valid."""
        with self.github.lock:
            self.github.credentials.accept(token)

    def _run(self) -> None:
        """Serve until `__exit__`."""
        try:
            asyncio.run(self._serve())
        except OSError as exc:
            self._problem = exc
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        """Open the port, report that it is open, and wait for the end."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = application(self.github, base_path=self._base_path, latency=self._latency)
        # Hanging answers are intended, so nobody waits for them at the end.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self.port)
            await site.start()
            self.port = runner.addresses[0][1]
            self.url = f"http://127.0.0.1:{self.port}{self._base_path}"
            self._ready.set()
            await self._stop.wait()
        finally:
            await runner.cleanup()


def _account(repositories: Sequence[str] | int, owners: Sequence[str], readable: Sequence[str]) -> SimulatedAccount:
    """Return the account with its repositories."""
    if isinstance(repositories, int):
        account = SimulatedAccount(made_up_names(repositories, owners), login=owners[0])
        for repository in account:
            repository.topics = TOPICS.get(repository.short_name, ())
    else:
        account = SimulatedAccount(repositories)
    for name in readable:
        account.create(name, push=False, admin=False)
    return account
