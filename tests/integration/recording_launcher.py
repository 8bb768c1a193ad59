"""Start the local engine with a record of its functions' calls: `python -m tests.integration.recording_launcher`.

Each call of an SDK that sends its function's name (`AWS_SDK_UA_APP_ID`) becomes a line of JSON in the file `calls` in
the history's folder.
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from local import launcher
from local.history_folder import HistoryFolder

S3_OPERATIONS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}


def main() -> None:
    """Launch, with the record set once ministack may be imported."""
    set_environment = launcher.set_environment

    def set_environment_and_record(history: HistoryFolder, port: int) -> None:
        set_environment(history, port)
        record(history.root / "calls")

    launcher.set_environment = set_environment_and_record
    launcher.main()


def record(file: Path) -> None:
    """Record the calls that reach the gateway."""
    from local.gateway import Gateway  # noqa: PLC0415 - ministack reads the environment while it is imported

    answer = Gateway.__call__

    async def answer_and_record(gateway: Gateway, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", []))
        asking = re.search(r"\bapp/(\w+)", headers.get(b"user-agent", b"").decode())
        if asking is None:
            await answer(gateway, scope, receive, send)
            return
        body, statuses = bytearray(), []

        async def receive_and_keep() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def send_and_keep(message: Any) -> None:
            statuses.append(message.get("status"))
            await send(message)

        await answer(gateway, scope, receive_and_keep, send_and_keep)
        call = {"function": asking[1], "status": statuses[0], **described(scope, headers, bytes(body))}
        with file.open("a") as lines:
            lines.write(json.dumps(call) + "\n")

    Gateway.__call__ = answer_and_record  # type: ignore[method-assign,assignment]


def described(scope: Any, headers: dict[bytes, bytes], body: bytes) -> dict[str, str]:
    """Say which action a request is, and on what: a table, a key, or a prefix of keys."""
    target = headers.get(b"x-amz-target", b"").decode()
    if target.startswith("DynamoDB"):
        asked = json.loads(body)
        table = str(asked.get("TableName") or next(iter(asked["RequestItems"])))
        return {"action": f"dynamodb:{target.partition('.')[2]}", "resource": table}
    if target:
        return {"action": target.replace(".", ":"), "resource": ""}
    if headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        return {"action": f"sns:{parse_qs(body.decode())['Action'][0]}", "resource": ""}
    _, _, key = unquote(scope["path"]).lstrip("/").partition("/")
    query = parse_qs(scope["query_string"].decode())
    if not key and scope["method"] == "GET":
        return {"action": "s3:ListBucket", "resource": query.get("prefix", [""])[0]}
    return {"action": f"s3:{S3_OPERATIONS.get(scope['method'], scope['method'])}", "resource": key}


if __name__ == "__main__":
    main()
