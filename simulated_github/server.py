"""GitHub's answers over HTTP, whole or broken on the way."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from simulated_github.control import control_routes
from simulated_github.github import GitHub, Request
from simulated_github.replies import Reply

PIECES = 20  # that a dripping body is cut into
BLANKS = b" " * 65536


def application(github: GitHub, *, base_path: str = "", latency: float = 0) -> web.Application:
    """Serve a GitHub below a base path, and its controls at the root and below that path.

    Args:
        github: What answers.
        base_path: `/api/v3` for an Enterprise Server, else empty.
        latency: Seconds that every answer takes.
    """
    app = web.Application()
    for prefix in {"", base_path}:
        app.add_routes(control_routes(github, prefix))
    app.router.add_route("*", f"{base_path}/{{path:.*}}", _handler(github, base_path, latency))
    return app


def _handler(github: GitHub, base_path: str, latency: float) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make the handler of everything that is GitHub's."""

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
    """Send a reply the way it is meant to arrive."""
    if reply.delivery == "reset":
        _reset(request)
        return web.Response()
    if reply.delivery == "hanging":
        await asyncio.sleep(reply.seconds)
    if reply.delivery in {"whole", "hanging"} and not reply.padding:
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body) + reply.padding
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # a caller who has had enough hangs up
        await _send_body(request, response, reply)
    return response


async def _send_body(request: web.Request, response: web.StreamResponse, reply: Reply) -> None:
    """Send a body that does not arrive at once, or not whole."""
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
    """Break the connection, so that the caller sees a reset instead of an end."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
