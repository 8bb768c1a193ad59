"""`traffic rebuild`: makes the tables again from the archive alone."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from cli.arguments import Target
from cli.command import command
from cli.stack.deployment import Deployment
from cli.stack.kept_archive import archive_keys, read_object
from cli.stack.opening import opened
from cli.terminal import CommandError, say, warn

EXAMPLES = """examples:
  traffic rebuild          on this machine
  traffic rebuild --aws    in AWS

Stores every object of the archive again, in the order of the captures. Nothing is deleted and nothing that GitHub did
not say is written: what is there already stays, and a second rebuild changes nothing. A table that was deleted
altogether is made again by deploying the stack; run this after that, and `traffic verify` after this.
"""

AT_ONCE = 4  # functions; each takes about 47 MB on this machine
ATTEMPTS = 3
PAUSE = 1.0  # seconds before an invocation that Lambda itself refused is repeated
REFUSED_IN_PASSING = (429, 500, 502, 503, 504)  # Lambda is throttled or fails: the function is not at work
MANY = 100  # objects between two lines of progress


@dataclass
class Wave:
    """Objects that may be stored in any order, so all at once.

    Attributes:
        keys: Their keys in the archive.
        subjects: The ids and names that they speak of.
    """

    keys: list[str] = field(default_factory=list)
    subjects: set[int | str] = field(default_factory=set)


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Rebuild the tables from the archive alone, by storing every object of it once more."""
    with opened(target) as deployment:
        stored = rebuild(deployment)
        deployment.save()
        say(f"Stored {stored} archive objects again. `traffic verify{deployment.options}` compares tables and archive.")
    return 0


def rebuild(deployment: Deployment) -> int:
    """Have Store traffic read every archive object again.

    Returns:
        How many objects there are.

    Raises:
        CommandError: One could not be stored; those before it are.
    """
    keys = archive_keys(deployment)
    deployment.client("lambda")  # made before the threads use it: boto3 makes clients safely in one thread only
    done = 0
    with ThreadPoolExecutor(AT_ONCE) as functions:
        for wave in waves((key, subjects(deployment, key)) for key in keys):
            for _ in functions.map(partial(store, deployment), wave.keys):
                done += 1
                if done % MANY == 0:
                    warn(f"Stored {done} of {len(keys)} objects.")
    return done


def waves(objects: Iterable[tuple[str, set[int | str]]]) -> Iterator[Wave]:
    """Cut objects into runs of neighbours of which no two speak of the same repository or name.

    Days and entries merge alike in any order. Two things do not: who owns a name, where two repositories bore it, and
    which of two captures of a day came later. So what concerns one id or one name is stored in the order of the
    captures. It also keeps two functions from contending for the same items. A daily run is one wave.

    Args:
        objects: Keys in the order of the captures, each with the ids and lower-case names that it speaks of.
    """
    wave = Wave()
    for key, spoken_of in objects:
        if wave.subjects & spoken_of:
            yield wave
            wave = Wave()
        wave.keys.append(key)
        wave.subjects |= spoken_of
    if wave.keys:
        yield wave


def subjects(deployment: Deployment, key: str) -> set[int | str]:
    """Give the ids and the names, lower case, that an archive object speaks of."""
    return {
        subject for answer in read_object(deployment, key) for subject in (answer["repo_id"], answer["repo"].lower())
    }


def store(deployment: Deployment, key: str) -> None:
    """Have Store traffic read one archive object again; its receipts go to `runs/rebuild/`.

    Raises:
        CommandError: It failed each time.
    """
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {"run": {"id": "rebuild", "started": started}, "batch": {"repositories": [], "key": key}}
    said = ""
    for _ in range(ATTEMPTS):  # a run that goes on meanwhile may keep an item changing
        said = _failure(deployment, event)
        if not said:
            return
    raise CommandError(f"{key} could not be stored again: {said}. Run `traffic rebuild{deployment.options}` once more.")


def _failure(deployment: Deployment, event: Mapping[str, Any]) -> str:
    """Invoke Store traffic once, and return what failed; empty where it stored the object."""
    function = deployment.output("StoreTrafficFunction")
    try:
        answer = deployment.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    except ClientError as exc:
        if exc.response["ResponseMetadata"]["HTTPStatusCode"] not in REFUSED_IN_PASSING:
            raise
        time.sleep(PAUSE)
        return str(exc)
    return str(answer["Payload"].read().decode(errors="replace")[:500]) if "FunctionError" in answer else ""
