"""A server that answers exactly as in GitHub's documentation, independent of our simulated GitHub.

Source:
    https://docs.github.com/en/rest/metrics/traffic, https://docs.github.com/en/rest/repos/repos and
    https://docs.github.com/en/rest/users/users
    (the examples of the answers, without fields that nobody reads)
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

REPOSITORY = {
    "id": 1296269,
    "name": "Hello-World",
    "full_name": "octocat/Hello-World",
    "private": False,
    "fork": False,
    "archived": False,
    "permissions": {"admin": False, "push": True, "pull": True},
}

VIEWS = [
    {"timestamp": "2016-10-10T00:00:00Z", "count": 440, "uniques": 143},
    {"timestamp": "2016-10-11T00:00:00Z", "count": 1308, "uniques": 414},
    {"timestamp": "2016-10-12T00:00:00Z", "count": 1486, "uniques": 452},
    {"timestamp": "2016-10-13T00:00:00Z", "count": 1170, "uniques": 401},
    {"timestamp": "2016-10-14T00:00:00Z", "count": 868, "uniques": 266},
]

CLONES = [
    {"timestamp": "2016-10-10T00:00:00Z", "count": 2, "uniques": 1},
    {"timestamp": "2016-10-11T00:00:00Z", "count": 17, "uniques": 16},
    {"timestamp": "2016-10-17T00:00:00Z", "count": 0, "uniques": 0},
]

ANSWERS: dict[str, Any] = {
    "/user": {"login": "octocat", "id": 1, "type": "User"},
    "/user/repos": [REPOSITORY],
    "/repos/octocat/Hello-World/traffic/views": {"count": 14850, "uniques": 3782, "views": VIEWS},
    "/repos/octocat/Hello-World/traffic/clones": {"count": 173, "uniques": 128, "clones": CLONES},
    "/repos/octocat/Hello-World/traffic/popular/referrers": [{"referrer": "Google", "count": 4, "uniques": 3}],
    "/repos/octocat/Hello-World/traffic/popular/paths": [
        {"path": "/github/hubot", "title": "github/hubot: A customizable life embetterment robot.", "count": 3542,
         "uniques": 2225}
    ],
}  # fmt: skip

# The expected output of `traffic export --format csv`: an unreported cell is empty, a zero is a zero.
CSV = """\
repo-name,timestamp,views-count,views-uniques,clones-count,clones-uniques,repo-id,current-name,views-complete,clones-complete
octocat/Hello-World,2016-10-10T00:00:00Z,440,143,2,1,1296269,octocat/Hello-World,true,true
octocat/Hello-World,2016-10-11T00:00:00Z,1308,414,17,16,1296269,octocat/Hello-World,true,true
octocat/Hello-World,2016-10-12T00:00:00Z,1486,452,,,1296269,octocat/Hello-World,true,false
octocat/Hello-World,2016-10-13T00:00:00Z,1170,401,,,1296269,octocat/Hello-World,true,false
octocat/Hello-World,2016-10-14T00:00:00Z,868,266,,,1296269,octocat/Hello-World,true,false
octocat/Hello-World,2016-10-17T00:00:00Z,,,0,0,1296269,octocat/Hello-World,false,true
"""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET as documented, and everything else with 404."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path.partition("?")[0])
        self._send(200 if answer is not None else 404, {"message": "Not Found"} if answer is None else answer)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._send(404, {"message": "Not Found"})

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def documented_github() -> Iterator[str]:
    """Serve on a free port of 127.0.0.1, and yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
