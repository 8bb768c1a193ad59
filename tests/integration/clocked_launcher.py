"""Start the local engine with a clock of its rules' that a test sets: `python -m tests.integration.clocked_launcher`.

The time stands still until a file `clock` in the history's folder, ISO 8601, tells another one.
"""

import sys
from datetime import datetime
from pathlib import Path

from local import launcher
from local.history_folder import HistoryFolder

BEFORE = "2026-11-21T08:59:59+00:00"  # a second before the daily rule

TICK = 0.05  # seconds between two looks at the rules


def main() -> None:
    """Launch, with the clock set once ministack may be imported."""
    set_environment = launcher.set_environment

    def set_environment_and_clock(history: HistoryFolder, port: int) -> None:
        set_environment(history, port)
        set_clock(history.root / "clock")

    launcher.set_environment = set_environment_and_clock
    launcher.main()


def set_clock(file: Path) -> None:
    """Let EventBridge's scheduler look at the file instead of the machine's clock."""
    from ministack.services import eventbridge  # noqa: PLC0415 - it reads the environment while it is imported

    def now() -> float:
        return datetime.fromisoformat(file.read_text() if file.exists() else BEFORE).timestamp()

    eventbridge._now_ts = now
    eventbridge._SCHEDULER_TICK_INTERVAL = TICK


if __name__ == "__main__":
    assert len(sys.argv) > 1
    main()
