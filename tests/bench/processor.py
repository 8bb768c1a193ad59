"""Limits a process to a share of one core, as AWS Lambda does for functions with little memory.

Lambda gives a function processor time in proportion to its memory, with a quota for each short period.
Here the quota is enforced from outside: a process that has used it is stopped (SIGSTOP) until the next period.

Source:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html ("At 1,769 MB, a function has the equivalent
    of one vCPU")
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass

ONE_CORE = 1769  # MB of memory
PERIOD = 0.05  # seconds; an unused quota is lost at the end of its period
SHORTEST_SLEEP = 0.0005  # seconds


@dataclass(frozen=True)
class Held:
    """The time that a limited process used.

    Attributes:
        seconds: Wall time from start to end, at least the processor time divided by the share.
        cpu_seconds: Processor time of all its threads.
    """

    seconds: float
    cpu_seconds: float

    @property
    def share(self) -> float:
        """The share of a core that the process used."""
        return self.cpu_seconds / self.seconds


def share_of(megabytes: int) -> float:
    """Return the share of a core that a function with this memory has."""
    return megabytes / ONE_CORE


def hold(process: "subprocess.Popen[str]", share: float, *, begun: float) -> Held:
    """Wait until a child process ends, and never let it use more than a share of a core.

    The process is checked only now and then, so it can use more than its quota. The next period is shorter then.

    Args:
        process: The child. Its threads count, its own child processes do not.
        share: Of one core, above 0; may be above 1.
        begun: When it was started, by `time.monotonic`.
    """
    used, debt = 0.0, 0.0
    while not _has_ended(process.pid):
        ends, allowed = time.monotonic() + PERIOD, share * PERIOD - debt
        spent = _spend(process.pid, used + allowed, ends)
        debt = max(spent - used - allowed, 0.0)
        used = spent
    process.wait()
    # A process that ends with a debt would have had to wait for its last milliseconds.
    return Held(max(time.monotonic() - begun, used / share), used)


def _spend(pid: int, limit: float, ends: float) -> float:
    """Let a process run for one period, or until it has used its processor time; return its use since its start."""
    used = _cpu_seconds(pid)
    if used < limit:
        os.kill(pid, signal.SIGCONT)
    while (left := ends - time.monotonic()) > 0 and not _has_ended(pid):
        used = _cpu_seconds(pid)
        if used >= limit:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(left)
            break
        # The process can use the rest of its quota at the earliest if its threads run on all cores at once.
        time.sleep(min(left, max((limit - used) / (os.cpu_count() or 1), SHORTEST_SLEEP)))
    return _cpu_seconds(pid)


def _cpu_seconds(pid: int) -> float:
    """Read the processor time of a process, threads that ended included, from its clock.

    Source:
        https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html; include/linux/posix-timers.h (the number)
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0  # it has ended


def _has_ended(pid: int) -> bool:
    """Return whether a child has ended. It stays waitable, so that its number is not used again."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
