"""What the one client of GitHub sends, and what it makes of answers that are too large, too slow, or redirects."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.serving import serving
from traffic.github import client as client_module
from traffic.github.answers import Answer
from traffic.github.client import GitHub

Reply = tuple[int, dict[str, str], bytes]
FINE: Reply = (200, {}, b"{}")


class Server(ThreadingHTTPServer):
    """Answers each path with a given reply.

    Attributes:
        replies: Status, headers and body by path, or a function that writes the answer itself.
        asked: Path and headers of each call.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Replying)
        self.replies: dict[str, Reply | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_port}"


class Replying(BaseHTTPRequestHandler):
    """Writes the server's answers."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        reply = self.server.replies.get(self.path, FINE)
        if not isinstance(reply, tuple):
            reply(self)
            return
        status, headers, body = reply
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of http.server
        """Write no log."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve on a free port of loopback."""
    with Server() as served, serving(served):
        yield served


def github(server: Server, token: str = "token", **given: Any) -> GitHub:  # noqa: S107 - not a password
    """Return a client of the server."""
    return GitHub(server.url, lambda **_fresh: token, **given)


def paths(server: Server) -> list[str]:
    """Return what was asked for."""
    return [path for path, _ in server.asked]


def test_a_call_sends_what_github_requires(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GitHub refuses calls without a User-Agent; a `.netrc` must not replace the token."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.replies["/user?per_page=7"] = (200, {"X-Some": "Value"}, b'{"a": 1}')

    answer = github(server).get("/user", {"per_page": "7"})

    ((path, headers),) = server.asked
    assert path == "/user?per_page=7"
    assert headers["authorization"] == "Bearer token"
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["user-agent"] == "github-traffic-capture"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert (answer.status, answer.headers["x-some"], answer.json()) == (200, "Value", {"a": 1})


def test_answers_come_in_the_order_of_the_questions(server: Server) -> None:
    """And every call is counted."""
    client = github(server)
    for name in "abcd":
        server.replies[f"/{name}"] = (200, {}, f'"{name}"'.encode())

    answers = client.get_all([(f"/{name}", None) for name in "dbca"])

    assert [answer.json() for answer in answers] == list("dbca")
    assert (client.calls, client.remaining) == (4, None)


def test_the_least_number_of_calls_left_is_noted(server: Server) -> None:
    """Answers of calls made at once come in any order; another server's text is not a number."""
    client = github(server)
    for path, left in {"/a": "7", "/b": "5", "/c": "9", "/d": "many", "/e": "11"}.items():
        server.replies[path] = (200, {"X-RateLimit-Remaining": left}, b"{}")

    client.get_all([(path, None) for path in ("/a", "/b", "/c", "/d")])
    assert client.remaining == 5
    client.get("/d")
    assert client.remaining == 5
    client.get("/e")
    assert client.remaining == 11


def test_only_refused_calls_are_repeated_and_only_with_another_token(server: Server) -> None:
    """GitHub locks out the owner of a refused token that is repeated."""
    tokens = iter(["old", "new"])
    server.replies["/b"] = lambda call: reply_by_token(call, {"Bearer new": FINE})

    answers = GitHub(server.url, lambda **_fresh: next(tokens)).get_all([("/a", None), ("/b", None)])

    assert [answer.status for answer in answers] == [200, 200]
    assert sorted(paths(server)) == ["/a", "/b", "/b"]
    server.asked.clear()
    assert github(server, "old").get("/b").status == 401
    assert paths(server) == ["/b"]


def reply_by_token(call: BaseHTTPRequestHandler, replies: dict[str, Reply]) -> None:
    """Answer by the token that was sent; 401 to any other."""
    status, _, body = replies.get(call.headers["Authorization"], (401, {}, b"no"))
    call.send_response_only(status)
    call.send_header("Content-Length", str(len(body)))
    call.end_headers()
    call.wfile.write(body)


def test_the_token_is_read_again_after_a_refusal(server: Server) -> None:
    """Not before, because a cached one is cheaper."""
    asked: list[bool] = []

    def read(*, fresh: bool = False) -> str:
        asked.append(fresh)
        return "token"

    GitHub(server.url, read).get("/a")
    assert asked == [False]
    server.replies["/a"] = (401, {}, b"no")
    GitHub(server.url, read).get("/a")
    assert asked == [False, False, True]


def test_three_redirects_are_followed_and_no_more(server: Server) -> None:
    """The parameters are in the address that GitHub sends."""
    for number in range(5):
        server.replies[f"/{number}"] = (301, {"Location": f"/{number + 1}"}, b"moved")
    server.replies["/1?q=1"] = server.replies["/1"]

    assert github(server).get("/2", {}).status == 200
    assert paths(server) == ["/2", "/3", "/4", "/5"]
    server.asked.clear()
    answer = github(server).get("/1", {"q": "1"})
    assert (answer.status, answer.message()) == (301, "redirected more than 3 times")
    assert answer.headers["location"] == "/5"
    assert paths(server) == ["/1?q=1", "/2", "/3", "/4"]


@pytest.mark.parametrize(
    "location", ["http://localhost:{port}/b", "http://127.0.0.1:1/b", "https://127.0.0.1:{port}/b"]
)
def test_a_redirect_to_another_origin_is_not_followed(server: Server, location: str) -> None:
    """Scheme, host and port must be the same."""
    server.replies["/a"] = (302, {"Location": location.format(port=server.server_port)}, b"")

    answer = github(server).get("/a")

    assert (answer.status, answer.headers) == (302, {})
    assert answer.message() == "redirected to another host; the token is not sent there"
    assert paths(server) == ["/a"]


def test_a_redirect_to_a_repository_by_id_is_followed_on_the_own_host(server: Server) -> None:
    """An Enterprise Server behind a proxy names a host that nobody outside can reach."""
    server.replies["/a"] = (307, {"Location": "https://internal:8443/api/v3/repositories/7"}, b"")
    server.replies["/b"] = (307, {"Location": "https://internal/repositories/seven"}, b"")
    server.replies["/c"] = (307, {}, b"")

    assert github(server).get("/a").status == 200
    assert github(server).get("/b").status == 302
    assert github(server).get("/c").message() == "redirected more than 3 times"
    assert paths(server) == ["/a", "/api/v3/repositories/7", "/b", *["/c"] * 4]


def test_a_body_that_is_too_large_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server must not fill the memory of a function."""
    monkeypatch.setattr(client_module, "MAX_BODY", 100)
    server.replies["/fits"] = (200, {}, b"x" * 100)
    server.replies["/large"] = (200, {}, b"x" * 101)

    assert len(github(server).get("/fits").body) == 100
    assert github(server).get("/large") == Answer(None, {}, b"the answer is too large or too slow")


def test_a_page_of_a_hundred_repositories_fits() -> None:
    """It has about 0.6 MB, and a call may take longer than the silence in it."""
    assert client_module.MAX_BODY == 8 * 1024 * 1024
    assert sum(client_module.SILENCE_SECONDS) <= client_module.CALL_SECONDS == 20.0


def test_an_answer_that_does_not_come_ends_after_the_time_of_a_call(server: Server) -> None:
    """The text contains the seconds; the connection is not used again."""
    release = threading.Event()
    server.replies["/slow"] = lambda _call: assert_released(release)
    client = github(server, call_seconds=0.5)
    before = client._session

    assert client.get("/slow") == Answer(None, {}, b"no complete answer within 0.5 s")
    release.set()
    assert client._session is not before
    assert client._session.get_adapter("https://a").max_retries.total == 0  # type: ignore[attr-defined]
    assert client._session.get_adapter("http://a").max_retries.total == 0  # type: ignore[attr-defined]
    assert client.get("/fine").status == 200


def test_the_response_time_of_a_call_is_measured(server: Server) -> None:
    """GitHub limits the response time of a minute; a call without an answer counts until it is given up."""
    server.replies["/late"] = reply_late
    server.replies["/never"] = lambda _call: time.sleep(1)

    late, fine = github(server).get("/late").seconds, github(server).get("/fine").seconds
    assert 0.2 <= late < 60
    assert fine > 0
    assert github(server, call_seconds=0.4).get("/never").seconds > 0.39  # the timer may be a little early


def reply_late(call: BaseHTTPRequestHandler) -> None:
    """Answer after 0.2 s."""
    time.sleep(0.2)
    reply_by_token(call, {"Bearer token": FINE})


def assert_released(event: threading.Event) -> None:
    """Wait for the end of a test."""
    assert event.wait(60)


def test_an_error_of_the_connection_is_an_answer_without_a_status(server: Server) -> None:
    """It contains the error's name only, because its text contains the address."""
    client = GitHub("http://127.0.0.1:9", lambda **_fresh: "token")

    assert client.get("/a") == Answer(None, {}, b"ConnectionError")
    assert github(server, "two\nlines").get("/a") == Answer(None, {}, b"ValueError")


def test_paths_and_addresses_lead_to_the_own_host() -> None:
    """Path and query of another host's address stay."""
    client = GitHub("https://ghe.example/api/v3", lambda **_fresh: "token")

    assert client.address("/user") == "https://ghe.example/api/v3/user"
    assert client.address("https://other.example/x") == "https://other.example/x"
    assert client.on_own_host("http://internal:8080/api/v3/user?page=2") == "https://ghe.example/api/v3/user?page=2"
    assert client.is_own("https://GHE.example:443/")
    assert not client.is_own("http://ghe.example/")
    assert GitHub("http://ghe.example", lambda **_fresh: "token").is_own("http://ghe.example:80/")
