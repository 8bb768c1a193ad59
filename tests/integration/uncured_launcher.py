"""Start the local engine with all cures except the one in UNCURED: `python -m tests.integration.uncured_launcher`."""

import importlib
import os

from local import launcher
from local.history_folder import HistoryFolder


def main() -> None:
    """Launch, with the cure replaced once ministack may be imported."""
    set_environment = launcher.set_environment

    def set_environment_and_skip(history: HistoryFolder, port: int) -> None:
        set_environment(history, port)
        module, _, cure = os.environ["UNCURED"].partition(".")
        cures = importlib.import_module(f"local.cures.{module}")
        assert callable(getattr(cures, cure))
        setattr(cures, cure, lambda *_: None)

    launcher.set_environment = set_environment_and_skip
    launcher.main()


if __name__ == "__main__":
    main()
