"""`traffic rebuild`: rebuilds the tables from the archive."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cli.command import Target, command
from cli.stack.opening import opened
from cli.terminal import inform, progress
from traffic.record.archive import Archive

EXAMPLES = """examples:
  traffic rebuild          on this machine
  traffic rebuild --aws    in AWS

Stores every object of the archive again, in the order of the captures. It deletes nothing and writes only what GitHub
reported: existing items stay, and a second rebuild changes nothing. If a table itself was deleted, deploy the stack
first, which creates it again; then run this, and then `traffic verify`.
"""

AT_ONCE = 4  # functions; each takes about 47 MB on this machine
MANY = 100  # objects between two lines of progress


@dataclass
class Wave:
    """Objects that may be stored in any order, and so at the same time.

    Attributes:
        keys: Their keys in the archive.
        subjects: The ids and names of the repositories in them.
    """

    keys: list[str] = field(default_factory=list)
    subjects: set[int | str] = field(default_factory=set)


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Rebuild the tables from the archive, by storing every object of it again."""
    with opened(target) as deployment:
        deployment.client("lambda")  # before the threads use it: boto3 makes clients safely in one thread only
        stored = rebuild(deployment.archive, deployment.store)
        deployment.save()
        inform(
            f"Stored {stored} archive objects again. `traffic verify{deployment.options}` compares tables and archive."
        )
    return 0


def rebuild(archive: Archive, store: Callable[[str], None]) -> int:
    """Have Store traffic read every archive object again.

    Args:
        archive: The archive.
        store: Called with the key of each object, in up to `AT_ONCE` threads.

    Returns:
        How many objects there are.

    Raises:
        CommandError: One could not be stored; those before it are.
        RecordError: An object is damaged.
    """
    keys = archive.stored_keys()
    done = 0
    with ThreadPoolExecutor(AT_ONCE) as functions:
        for wave in waves((key, subjects(archive, key)) for key in keys):
            for _ in functions.map(store, wave.keys):
                done += 1
                if done % MANY == 0:
                    progress(f"Stored {done} of {len(keys)} objects.")
    return done


def waves(objects: Iterable[tuple[str, set[int | str]]]) -> Iterator[Wave]:
    """Group neighbouring objects, so that no two objects in a group concern the same repository or name.

    Days and entries can be merged in any order. Two things depend on the order: which of two repositories with the same
    name owns it, and which of two captures of a day came later. So objects that concern one id or one name are stored
    in the order of the captures. This also keeps two functions from changing the same items. A daily run is one wave.

    Args:
        objects: Keys in the order of the captures, each with the ids and lower-case names in the object.
    """
    wave = Wave()
    for key, concerned in objects:
        if wave.subjects & concerned:
            yield wave
            wave = Wave()
        wave.keys.append(key)
        wave.subjects |= concerned
    if wave.keys:
        yield wave


def subjects(archive: Archive, key: str) -> set[int | str]:
    """Return the ids and the lower-case names of the repositories in an archive object."""
    return {subject for line in archive.read_answers(key) for subject in (line["repo_id"], line["repo"].lower())}
