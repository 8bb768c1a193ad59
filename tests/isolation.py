"""Gives tests a home without settings, so that no test captures with the token of whoever runs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

XDG = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")

# Files of tools in the real home. Without them, each test run would download or unpack everything again.
TOOLS = {
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT": ".cache/aws/jsii/package-cache",
    "npm_config_cache": ".npm",
    "npm_config_userconfig": ".npmrc",
    "PIP_CACHE_DIR": ".cache/pip",
    "PIP_CONFIG_FILE": ".config/pip/pip.conf",
}


@contextmanager
def empty_home(folder: Path) -> Iterator[None]:
    """Let this process and those that it starts find an empty home folder, and no XDG folders elsewhere."""
    home = Path.home()
    with pytest.MonkeyPatch.context() as patch:
        for variable, path in TOOLS.items():
            if variable not in os.environ and (home / path).exists():
                patch.setenv(variable, str(home / path))
        for variable in XDG:
            patch.delenv(variable, raising=False)
        patch.setenv("HOME", str(folder))
        yield
