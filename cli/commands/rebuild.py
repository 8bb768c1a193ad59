"""`traffic rebuild`: makes the tables again from the archive alone."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cli.arguments import Target
from cli.command import command
from cli.stack.opening import opened
from cli.terminal import say, warn
from traffic.record.archive import Archive

EXAMPLES = """examples:
  traffic rebuild          on this machine
  traffic rebuild --aws    in AWS

Stores every object of the archive again, in the order of the captures. Nothing is deleted and nothing that GitHub did
not say is written: what is there already stays, and a second rebuild changes nothing. A table that was deleted
altogether is made again by deploying the stack; run this after that, and `traffic verify` after this.
"""

AT_ONCE = 4  # functions; each takes about 47 MB on this machine
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
        deployment.client("lambda")  # before the threads use it: boto3 makes clients safely in one thread only
        stored = rebuild(deployment.archive, deployment.store)
        deployment.save()
        say(f"Stored {stored} archive objects again. `traffic verify{deployment.options}` compares tables and archive.")
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


def subjects(archive: Archive, key: str) -> set[int | str]:
    """Return the ids and the lower-case names of the repositories in an archive object."""
    return {subject for line in archive.read_answers(key) for subject in (line["repo_id"], line["repo"].lower())}
