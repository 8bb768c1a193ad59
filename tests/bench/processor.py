"""Holds a process to a share of one core, as AWS Lambda does for functions with little memory.

Lambda gives a function processor time in proportion to its memory, and enforces it by a quota in each short period.
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
PERIOD = 0.05  # seconds; a quota that is not used in its period is gone
SHORTEST_SLEEP = 0.0005  # seconds


@dataclass(frozen=True)
class Held:
    """What a process that was held to its share used.

    Attributes:
        seconds: Wall time from start to end, at least what the share takes for the processor time.
        cpu_seconds: Processor time of all its threads.
    """

    seconds: float
    cpu_seconds: float

    @property
    def share(self) -> float:
        """The share of a core that it really got."""
        return self.cpu_seconds / self.seconds


def share_of(megabytes: int) -> float:
    """Return the share of a core that a function with so much memory has."""
    return megabytes / ONE_CORE


def hold(process: "subprocess.Popen[str]", share: float, *, begun: float) -> Held:
    """Wait until a child process ends, and never let it use more than a share of a core.

    A period that used more than its quota, as the process is looked at only now and then, takes it from the next one.

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
    # One that ends in debt would have had to wait for its last milliseconds.
    return Held(max(time.monotonic() - begun, used / share), used)


def _spend(pid: int, limit: float, ends: float) -> float:
    """Let a process run for one period, or until it has used its processor time; return its use since it began."""
    used = _cpu_seconds(pid)
    if used < limit:
        os.kill(pid, signal.SIGCONT)
    while (left := ends - time.monotonic()) > 0 and not _has_ended(pid):
        used = _cpu_seconds(pid)
        if used >= limit:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(left)
            break
        # Its threads can use what is left of the quota on all cores at once, and no sooner.
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
    """Tell whether a child has ended, and leave it to be waited for, so that its number is not given away."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
