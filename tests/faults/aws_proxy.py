"""A `microburst` proxy for each function: it records the calls to AWS, and lets chosen calls fail."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.rules import RuleEngine
from yarl import URL

LOST = "x-answer-lost"  # a header of answers after which the connection breaks

SETTLED = 30.0  # seconds until every call must have arrived; hanging calls take 1.6


@dataclass(frozen=True, order=True)
class Call:
    """A kind of call that a function makes.

    Attributes:
        function: `fetch_traffic`, the name of its folder.
        service: `s3`, AWS's name in signatures.
        operation: `PutObject`.
        resource: A table, or the folder or name of objects without the id of the run: `runs/manifest.json`.
    """

    function: str
    service: str
    operation: str
    resource: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.function, self.service, self.operation, self.resource)))


class Rules(RuleEngine):  # type: ignore[misc]  # microburst has no types
    """The rules of one function's proxy: they match the complete kind of a call, and record every call."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = function
        self.calls: list[Call] = []

    def decide(self, info: Any) -> Any:
        """Record a call, and return the fault that it meets."""
        call = Call(self.function, info.service, info.operation, resource_of(info))
        self.calls.append(call)
        info.resource = (
            f"[{call.resource}]"  # rules match a part of it, and one table's name is the beginning of another's
        )
        return super().decide(info)


def resource_of(info: Any) -> str:
    """Return the resource of a request, the same in every run."""
    if info.service == "dynamodb":
        body = json.loads(info.body)
        return str(body.get("TableName") or next(iter(body["RequestItems"])))
    if info.service != "s3":
        return ""
    return without_run(str(info.query.get("prefix") or info.path.lstrip("/").partition("/")[2]))


def without_run(key: str) -> str:
    """Return a key or a prefix without the id of the run: `runs/manifest.json`, `answers`."""
    top, *rest = key.split("/")
    return top if top in ("answers", "listings") else f"{top}/{rest[1]}"


class Proxy(Microburst):  # type: ignore[misc]  # microburst has no types
    """The proxy of one function, which counts its pending calls."""

    def __init__(self, upstream: str, function: str) -> None:
        super().__init__(upstream, resign=False)
        self.engine = self.rules = Rules(function)
        self.pending = 0
        self.forward_as_signed()

    def forward_as_signed(self) -> None:
        """Keep the host and the exact address: the engine checks the function's signature of both."""
        outbound, start = self.upstream._outbound_headers, self.upstream.start

        async def start_and_keep() -> None:
            await start()
            self.upstream.session._build_url = lambda url: URL(url, encoded=True)

        self.upstream._outbound_headers = lambda request: {**outbound(request), "host": request.headers["Host"]}
        self.upstream.start = start_and_keep

    async def handle_proxy(self, request: web.Request) -> Any:
        """Handle a call completely, even if its caller no longer waits."""
        self.pending += 1
        try:
            answer = await super().handle_proxy(request)
            if LOST in answer.headers and request.transport is not None:
                request.transport.abort()
            return answer
        finally:
            self.pending -= 1


@dataclass(frozen=True)
class Proxies:
    """The functions' proxies.

    Attributes:
        served: The proxies, by function.
        urls: The `AWS_ENDPOINT_URL` of each function.
    """

    served: dict[str, Proxy] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> Mapping[str, Rules]:
        """The rules of each function."""
        return {function: proxy.rules for function, proxy in self.served.items()}

    def break_call(self, call: Call, fault: Mapping[str, Any]) -> None:
        """Let a kind of call fail; `fault` is the rest of one of microburst's rules."""
        about = {"service": call.service, "operation": call.operation, "resource": f"[{call.resource}]"}
        self.rules[call.function].set_rules([{**about, **fault}])

    def mend(self) -> int:
        """Remove all faults, and return how many calls met one."""
        struck: int = sum(rule.fired_count for rules in self.rules.values() for rule in rules.rules)
        for rules in self.rules.values():
            rules.set_rules([])
        return struck

    def settle(self) -> None:
        """Wait until every call has arrived, including hanging calls whose callers no longer wait."""
        give_up = time.monotonic() + SETTLED
        while pending := {function: proxy.pending for function, proxy in self.served.items() if proxy.pending}:
            assert time.monotonic() < give_up, f"calls that do not end: {pending}"
            time.sleep(0.02)

    def take_calls(self) -> list[Call]:
        """Return the calls since the last time, and forget them."""
        calls = [call for rules in self.rules.values() for call in rules.calls]
        for rules in self.rules.values():
            rules.calls.clear()
        return calls


@contextmanager
def proxies(upstream: str, functions: list[str]) -> Iterator[Proxies]:
    """Serve a proxy for each function on a free port of 127.0.0.1.

    Args:
        upstream: The engine's address.
        functions: The functions' names.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = Proxies()
    runners: list[web.AppRunner] = []

    async def serve(function: str) -> None:
        made.served[function] = Proxy(upstream, function)
        runner = web.AppRunner(make_app(made.served[function]), shutdown_timeout=0)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.urls[function] = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def stop() -> None:
        for runner in runners:
            await runner.cleanup()

    try:
        for function in functions:
            asyncio.run_coroutine_threadsafe(serve(function), loop).result()
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
