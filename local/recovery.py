"""Store archive objects again that the tables may lack: the archive is on disk at once, the tables are not."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from local.engine import Engine, EngineError
from local.history_folder import MERGED


def recover(
    engine: Engine, outputs: Mapping[str, str], *, on_progress: Callable[[int, int], None] = lambda _done, _all: None
) -> int:
    """Store what the tables lack of the archive, once after each start; storing an object twice changes nothing.

    Args:
        engine: The engine, with the stack deployed.
        outputs: The stack's outputs.
        on_progress: Called with the number of stored objects and the number of all.

    Returns:
        The number of objects stored again.

    Raises:
        EngineError: An object could not be stored; the engine then does not count as recovered.
    """
    status = engine.status()
    if status["recovered"]:
        return 0
    since = datetime.fromisoformat(status["stored_until"]) if status["stored_until"] else None
    unsorted = unsaved(engine, outputs["ArchiveBucket"], since)
    keys = sorted(unsorted, key=lambda key: key.rpartition("/")[2])  # names begin with their time
    for done, key in enumerate(keys):
        on_progress(done, len(keys))
        store(engine, outputs["StoreTrafficFunction"], key)
    engine.ask("POST", "recovered")
    if keys:
        on_progress(len(keys), len(keys))
        engine.save()
    return len(keys)


def end_rebuild(engine: Engine) -> None:
    """Note that a rebuild has written everything that the tables lacked, so that nothing need be stored again."""
    engine.ask("POST", "recovered")
    engine.save()


def unsaved(engine: Engine, bucket: str, since: datetime | None) -> Iterator[str]:
    """Yield the answers and imports written since the tables were last saved; all of them if that is unknown."""
    pages = engine.client("s3").get_paginator("list_objects_v2")
    for prefix in MERGED:
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                if since is None or item["LastModified"] >= since:
                    yield item["Key"]


def store(engine: Engine, function: str, key: str) -> None:
    """Invoke Store traffic with one archive object.

    Raises:
        EngineError: The function failed.
    """
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {"run": {"id": "recovery", "started": started}, "batch": {"repositories": [], "key": key}}
    answer = engine.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    if "FunctionError" in answer:
        raise EngineError(f"{key} could not be stored again: {answer['Payload'].read().decode(errors='replace')[:500]}")
