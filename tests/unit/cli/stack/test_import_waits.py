"""`traffic import --aws` waits for a function as long as it may run, and never invokes it a second time meanwhile."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.command import Target
from cli.stack.deployment import PAUSE, Deployment, aws_deployment
from cli.terminal import CommandError
from traffic.clock import from_text

OUTPUTS = {"StoreTrafficFunction": "StoreTraffic"}

Answer = tuple[int, bytes]

STORED = (200, b"null")
THROTTLED = (429, b'{"Type": "User", "message": "Rate Exceeded."}')
DENIED = (403, b'{"message": "not authorized"}')
NAMES = {429: "TooManyRequestsException", 500: "ServiceException", 403: "AccessDeniedException"}
NOT_STARTED = (429, 500, 502, 503, 504)  # statuses with which Lambda has not started the function


class Lambda:
    """Lambda's API over real HTTP: it answers each invocation as `answer` says.

    Attributes:
        invocations: Number of invocations.
        events: What the function was invoked with.
        answer: Returns the answer to an invocation by its number, from 1.
    """

    def __init__(self) -> None:
        self.invocations = 0
        self.events: list[Any] = []
        self.answer: Callable[[int], Answer | None] = lambda _invocation: STORED
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner.respond(self)

            def log_message(self, *_: Any) -> None:
                """Keep standard error clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one invocation; None is a connection that ends without an answer."""
        self.events.append(json.loads(request.rfile.read(int(request.headers["Content-Length"]))))
        self.invocations += 1
        answer = self.answer(self.invocations)
        if answer is None:
            request.close_connection = True
            return
        status, body = answer
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        if status in NAMES:
            request.send_header("x-amzn-ErrorType", NAMES[status])
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """A Lambda on loopback that the SDK of the commands calls."""
    served = Lambda()
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("cli.stack.deployment.PAUSE", 0.01)
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


@pytest.fixture
def deployment(aws: Lambda, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """The stack in AWS, with the clients that every command gets."""

    def described(client: Callable[[str], Any], place: str, **_: Any) -> Deployment:
        return Deployment(outputs=OUTPUTS, parameters={}, client=client, place=place, options=" --aws")

    assert aws.url
    monkeypatch.setattr("cli.stack.deployment.stack_of", described)
    with aws_deployment(Target(aws=True, region="us-east-1")) as opened:
        yield opened


def test_a_function_that_takes_longer_than_botocore_waits_is_invoked_once(
    aws: Lambda, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Botocore waits a minute, here a fifth of a second, and invokes again: two functions then write the same items."""
    monkeypatch.setitem(Config.OPTION_DEFAULTS, "read_timeout", 0.2)

    def slowly(_invocation: int) -> Answer:
        time.sleep(0.5)
        return STORED

    aws.answer = slowly
    deployment.store("answers/one")

    assert aws.invocations == 1


def test_the_wait_is_longer_than_lambda_lets_any_function_run(deployment: Deployment) -> None:
    """A longer `Timeout` in the template must not bring the second invocation back.

    Source:
        https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (function timeout: 900 seconds)
    """
    assert deployment.client("lambda").meta.config.read_timeout > 900


def test_a_connection_that_ends_without_an_answer_is_no_reason_to_invoke_again(
    aws: Lambda, deployment: Deployment
) -> None:
    """Whether the function still runs nobody knows: the command ends, and may be typed again."""
    aws.answer = lambda _invocation: None

    with pytest.raises(BotoCoreError):
        deployment.store("answers/one")
    assert aws.invocations == 1


@pytest.mark.parametrize("status", NOT_STARTED)
def test_an_invocation_that_lambda_did_not_start_is_repeated_after_a_second(
    aws: Lambda, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """A new account runs ten functions at once: a run at the same time can use all of them."""
    slept: list[float] = []
    monkeypatch.setattr("cli.stack.deployment.PAUSE", PAUSE)
    monkeypatch.setattr("cli.stack.deployment.time.sleep", slept.append)
    aws.answer = lambda invocation: (status, b"{}") if invocation == 1 else STORED
    deployment.store("answers/one")

    assert aws.invocations == 2
    assert slept == [1.0]
    first, second = aws.events
    assert first == second
    assert first["batch"] == {"repositories": [], "key": "answers/one"}
    assert first["run"]["id"] == "rebuild"
    assert from_text(first["run"]["started"])


@pytest.mark.parametrize("status", [400, 404, 505])
def test_another_refusal_is_not_repeated(aws: Lambda, deployment: Deployment, status: int) -> None:
    """Repeating it would not help."""
    aws.answer = lambda _invocation: (status, b'{"message": "AWS\'s words"}')

    with pytest.raises(ClientError, match="AWS's words"):
        deployment.store("answers/one")
    assert aws.invocations == 1


def test_an_invocation_that_is_always_refused_ends_with_what_lambda_said(aws: Lambda, deployment: Deployment) -> None:
    """It names the object, and what stores it."""
    aws.answer = lambda _invocation: THROTTLED

    with pytest.raises(CommandError, match=r"answers/one could not be stored: .*Rate Exceeded.*--aws"):
        deployment.store("answers/one")
    assert aws.invocations == 3


def test_a_denied_invocation_is_not_repeated(aws: Lambda, deployment: Deployment) -> None:
    """More tries bring no right."""
    aws.answer = lambda _invocation: DENIED

    with pytest.raises(ClientError, match="not authorized"):
        deployment.store("answers/one")
    assert aws.invocations == 1
