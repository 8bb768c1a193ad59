"""Start the local engine with a hook in the state machine's own calls: `python -m tests.faults.aws_launcher`.

Step Functions invokes functions, publishes, and reads the manifest without the SDK, so no proxy sees these calls. The
file `integration-calls` in the history's folder lists them; `integration-fault.json` there describes which one fails:

```json
{"call": "sns publish", "error": "SNS.ThrottledException", "times": 1, "afterwards": false}
```
"""

import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from local import launcher
from local.history_folder import HistoryFolder
from tests.faults.aws_proxy import without_run

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
LOCK = Lock()


def main() -> None:
    """Launch, with the hook set once ministack may be imported."""
    set_environment = launcher.set_environment

    def set_environment_and_hook(history: HistoryFolder, port: int) -> None:
        set_environment(history, port)
        hook()

    launcher.set_environment = set_environment_and_hook
    launcher.main()


def hook() -> None:
    """Add the faults to the calls of ministack's Step Functions."""
    from ministack.services import stepfunctions  # noqa: PLC0415 - it reads the environment while it is imported

    invoke, read = stepfunctions._invoke_resource, stepfunctions._s3_object_text

    def invoke_or_fail(resource: str, given: Any) -> Any:
        begin_earlier(given)
        service, operation = resource.split(":")[-2:]
        name = str(given["FunctionName"]).rpartition(":")[2] if service == "lambda" else ""
        return call(" ".join(filter(None, (service, operation, name))), lambda: invoke(resource, given))

    def read_or_fail(bucket: str, key: str) -> Any:
        return call(f"s3 getObject {without_run(key)}", lambda: read(bucket, key))

    def call(name: str, make: Callable[[], Any]) -> Any:
        fault = struck(name)
        if fault and not fault["afterwards"]:
            raise stepfunctions._ExecutionError(fault["error"], f"{name} fails on purpose")
        answer = make()
        if fault:
            raise stepfunctions._ExecutionError(fault["error"], f"the answer of {name} is lost on purpose")
        return answer

    stepfunctions._invoke_resource, stepfunctions._s3_object_text = invoke_or_fail, read_or_fail


def begin_earlier(given: Any) -> None:
    """Set the start of a run back by the seconds in `began-earlier`: its deadline is near."""
    path, payload = FOLDER / "began-earlier", given.get("Payload")
    if path.exists() and isinstance(payload, dict) and "started" in payload.get("run", {}):
        started = datetime.fromisoformat(payload["run"]["started"]) - timedelta(seconds=float(path.read_text()))
        payload["run"] = {**payload["run"], "started": started.isoformat()}


def struck(name: str) -> dict[str, Any] | None:
    """Record a call, and return the fault that it meets, if any."""
    with LOCK:
        with (FOLDER / "integration-calls").open("a") as calls:
            calls.write(name + "\n")
        path = FOLDER / "integration-fault.json"
        if not path.exists():
            return None
        fault: dict[str, Any] = json.loads(path.read_text())
        if fault["call"] != name or not fault["times"]:
            return None
        path.write_text(json.dumps({**fault, "times": fault["times"] - 1, "struck": fault.get("struck", 0) + 1}))
        return fault


if __name__ == "__main__":
    main()
