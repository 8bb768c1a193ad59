"""Where a token must not be: looked for byte by byte, with one that nobody else could have written."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.engine import ROOT
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Terminal, until

UNRELATED = {".git", ".venv"}  # its history, and packages of others: no command of ours writes there


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_the_token_is_nowhere_but_in_its_secret(terminal: Terminal) -> None:
    """Neither in files, logs and output, nor in the command line or environment of a process."""
    token = f"github_pat_{secrets.token_hex(20)}"
    seen: dict[str, set[str]] = {}
    with SimulatedGitHub(repositories=8, token=token, latency=0.05) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN=token)
        with terminal.typed("run") as command:
            assert until(lambda: len(github.calls) > 1 + 4 * 4, command)
            for process, holds in processes_that_hold(token):
                seen.setdefault(process, set()).add(holds)
            output = command.communicate()[0]

    assert command.returncode == 0, output
    assert token not in output
    assert seen == {str(command.pid): {"environ"}}  # the user's own command, which was told it so
    assert [path.name for path in files_that_hold(token, terminal.folder)] == ["secretsmanager.json"]
    assert list(files_that_hold(token, ROOT)) == []


def processes_that_hold(token: str) -> Iterator[tuple[str, str]]:
    """Find processes whose command line or environment holds a text: their id, and which of the two."""
    for kind in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{kind}"):
            try:
                if token.encode() in path.read_bytes():
                    yield path.parent.name, kind
            except OSError:
                continue  # it has ended meanwhile, or is somebody else's


def files_that_hold(token: str, folder: Path) -> Iterator[Path]:
    """Find files below a folder that hold a text, in clear or compressed by nobody."""
    for path in folder.iterdir():
        if path.is_symlink() or path.name in UNRELATED:
            continue
        if path.is_dir():
            yield from files_that_hold(token, path)
        elif path.is_file() and token.encode() in path.read_bytes():
            yield path
