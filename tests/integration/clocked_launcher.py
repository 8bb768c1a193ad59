"""Start the local engine with a clock of its rules that a test sets: `python -m tests.integration.clocked_launcher`.

A file `clock` in the history's folder contains the time (ISO 8601), which does not go on by itself. The scheduler
appends the time of each of its checks to a file `checks`.
"""

import sys
from datetime import datetime
from pathlib import Path

from local import launcher
from local.history_folder import HistoryFolder

BEFORE = "2026-11-21T08:59:59+00:00"  # a second before the daily rule

TICK = 0.05  # seconds between two checks of the rules


def main() -> None:
    """Launch, with the clock set once ministack may be imported."""
    set_environment = launcher.set_environment

    def set_environment_and_clock(history: HistoryFolder, port: int) -> None:
        set_environment(history, port)
        set_clock(history.root / "clock")

    launcher.set_environment = set_environment_and_clock
    launcher.main()


def set_clock(file: Path) -> None:
    """Let EventBridge's scheduler read the file instead of the machine's clock."""
    from ministack.services import eventbridge  # noqa: PLC0415 - it reads the environment while it is imported

    def now() -> float:
        time = file.read_text() if file.exists() else BEFORE
        with file.with_name("checks").open("a") as checks:
            checks.write(f"{time}\n")
        return datetime.fromisoformat(time).timestamp()

    eventbridge._now_ts = now
    eventbridge._SCHEDULER_TICK_INTERVAL = TICK


if __name__ == "__main__":
    assert len(sys.argv) > 1
    main()
