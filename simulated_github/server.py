"""GitHub's answers over HTTP, complete or broken, and the controls, which the real GitHub does not have."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from simulated_github.account import Credentials, SimulatedAccount, UnknownRepositoryError
from simulated_github.fault_rules import rule_from_json
from simulated_github.github import GitHubState
from simulated_github.replies import Reply, Request
from simulated_github.simulated_clock import format_time, parse_time

PIECES = 20  # of a dripping body
BLANKS = b" " * 65536


def application(github: GitHubState, *, base_path: str = "", latency: float = 0) -> web.Application:
    """Return an application with GitHub below a base path, and its controls at the root and below that path.

    Args:
        github: The GitHub that answers.
        base_path: `/api/v3` for an Enterprise Server, otherwise empty.
        latency: Seconds that every answer takes.
    """
    app = web.Application()
    for prefix in {"", base_path}:
        app.add_routes(control_routes(github, prefix))
    # Every path, even with line breaks: GitHub answers them in JSON, not with the server's own page.
    app.router.add_route("*", f"{base_path}/{{path:[\\s\\S]*}}", _handler(github, base_path, latency))
    return app


def _handler(
    github: GitHubState, base_path: str, latency: float
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler of GitHub's own paths."""

    async def handle(request: web.Request) -> web.StreamResponse:
        with github.paced(request.headers.get("Authorization", "")) as too_fast:
            if latency and too_fast is None:
                await asyncio.sleep(latency)
            reply = github.answer(
                Request(
                    method=request.method,
                    path=request.path.removeprefix(base_path),
                    query=request.query,
                    query_string=request.query_string,
                    headers=request.headers,
                    api=f"{request.scheme}://{request.host}{base_path}",
                    too_fast=too_fast,
                )
            )
            return await _deliver(request, reply)

    return handle


async def _deliver(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Send a reply as its `delivery` describes."""
    if reply.delivery == "reset":
        _reset(request)
        return web.Response()
    if reply.delivery == "hanging":
        await asyncio.sleep(reply.seconds)
    if reply.delivery in {"complete", "hanging"} and not reply.padding:
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body) + reply.padding
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # a caller may close the connection
        await _send_body(request, response, reply)
    return response


async def _send_body(request: web.Request, response: web.StreamResponse, reply: Reply) -> None:
    """Send a body in pieces, or only a part of it."""
    if reply.delivery == "truncated":
        await response.write(reply.body[: len(reply.body) // 2])
        if request.transport:
            request.transport.close()
        return
    size = -(-len(reply.body) // PIECES) if reply.delivery == "dripping" else len(reply.body)
    for start in range(0, len(reply.body), size):
        await asyncio.sleep(reply.seconds * size / len(reply.body))
        await response.write(reply.body[start : start + size])
    for sent in range(0, reply.padding, len(BLANKS)):
        await response.write(BLANKS[: reply.padding - sent])


def _reset(request: web.Request) -> None:
    """Break the connection: the caller sees a reset instead of an end."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


Control = Callable[[GitHubState, Mapping[str, str], Any], Any]  # with the query and the JSON of the request
MOST_TRUE_DAYS = 4000


def control_routes(github: GitHubState, prefix: str) -> list[web.RouteDef]:
    """Return the controls' routes below a prefix."""
    return [
        web.route(method, f"{prefix}/{name}", _answering(github, control))
        for (method, name), control in CONTROLS.items()
    ]


def _answering(github: GitHubState, control: Control) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a handler that answers in JSON; a wrong request gets a 422 with the reason."""

    async def handle(request: web.Request) -> web.Response:
        try:
            content = await request.json() if request.can_read_body else {}
            with github.lock:
                return web.json_response(control(github, request.query, content))
        except (ValueError, TypeError, LookupError, AttributeError) as exc:
            name = "no such repository" if isinstance(exc, UnknownRepositoryError) else type(exc).__name__
            return web.json_response({"message": f"{name}: {exc}"}, status=422)

    return handle


def _set_time(github: GitHubState, query: Mapping[str, str], content: Any) -> Any:
    """`{"at": "2026-11-20T09:00:00Z"}` sets the simulated time."""
    github.clock.set(parse_time(content["at"]))
    return _show_time(github, query, content)


def _show_time(github: GitHubState, _query: Mapping[str, str], _content: Any) -> Any:
    """Return the simulated time."""
    return {"at": format_time(github.clock.now())}


def _add_fault(github: GitHubState, query: Mapping[str, str], content: Any) -> Any:
    """Add a rule; see `fault_rules.rule_from_json`."""
    github.faults.append(rule_from_json(content))
    return _list_faults(github, query, content)


def _list_faults(github: GitHubState, _query: Mapping[str, str], _content: Any) -> Any:
    """Return the rules, each with the number of calls that matched it."""
    return [rule.as_json() for rule in github.faults]


def _clear_faults(github: GitHubState, _query: Mapping[str, str], _content: Any) -> Any:
    """Remove every fault."""
    github.faults.clear()
    return []


def _list_calls(github: GitHubState, query: Mapping[str, str], _content: Any) -> Any:
    """Return the calls so far, filtered by `?repository=`, `?endpoint=` and `?status=`."""
    wanted = [(key, query[key]) for key in ("repository", "endpoint", "status") if key in query]
    calls = [call.as_json() for call in github.calls]
    chosen = [call for call in calls if all(str(call[key]) == value for key, value in wanted)]
    return {"count": len(chosen), "calls": chosen}


def _forget_calls(github: GitHubState, _query: Mapping[str, str], _content: Any) -> Any:
    """Forget the calls so far."""
    github.calls.clear()
    return {"count": 0, "calls": []}


def _show_limits(github: GitHubState, _query: Mapping[str, str], _content: Any) -> Any:
    """Return the most calls and response seconds in a minute, and the most calls at once, by the user's login."""
    return {login: asdict(peaks) for login, peaks in github.peaks.items()}


def _show_truth(github: GitHubState, query: Mapping[str, str], _content: Any) -> Any:
    """Return the true numbers of `?repo=owner/name` for the days `&from=2026-11-01&to=2026-11-20`."""
    repository = github.account.get(query["repo"])
    first, last = (date.fromisoformat(query[key]) for key in ("from", "to"))
    days = [first + timedelta(days=n) for n in range(min((last - first).days + 1, MOST_TRUE_DAYS))]
    truths = [(day, github.traffic.truth(repository, day)) for day in days]
    return [{"date": day.isoformat(), **truth._asdict()} for day, truth in truths if truth]


def _list_repositories(github: GitHubState, _query: Mapping[str, str], _content: Any) -> Any:
    """Return all repositories, by name."""
    return [asdict(repository) for repository in github.account.sorted_by_name()]


def _operate(github: GitHubState, query: Mapping[str, str], content: Any) -> Any:
    """`{"operation": "rename", "name": "octo/docs", "to": "acme/docs"}`; see `_operation` for the others."""
    _operation(github.account, content.pop("operation"))(**content)
    return _list_repositories(github, query, content)


def _operation(account: SimulatedAccount, name: str) -> Callable[..., Any]:
    """Return an operation on repositories by its name."""
    operations: dict[str, Callable[..., Any]] = {
        "create": account.create,
        "rename": account.rename,
        "delete": account.delete,
        "change": account.change,
        "hide_organization": account.hide_organization,
    }
    return operations[name]


def _change_token(github: GitHubState, _query: Mapping[str, str], content: Any) -> Any:
    """`{"operation": "revoke"}`, `accept` with "token", or `revoke_after` with "calls" or "repositories"."""
    credentials: Credentials = github.credentials
    operations: dict[str, Callable[..., None]] = {
        "revoke": credentials.revoke,
        "accept": credentials.accept,
        "revoke_after": credentials.revoke_after,
    }
    operations[content.pop("operation")](**content)
    return {}


CONTROLS: dict[tuple[str, str], Control] = {
    ("POST", "_at"): _set_time,
    ("GET", "_at"): _show_time,
    ("POST", "_faults"): _add_fault,
    ("GET", "_faults"): _list_faults,
    ("DELETE", "_faults"): _clear_faults,
    ("GET", "_calls"): _list_calls,
    ("DELETE", "_calls"): _forget_calls,
    ("GET", "_limits"): _show_limits,
    ("GET", "_truth"): _show_truth,
    ("GET", "_repositories"): _list_repositories,
    ("POST", "_repositories"): _operate,
    ("POST", "_token"): _change_token,
}
