"""Where a token must not be: looked for byte by byte, with one that nobody else could have written."""

import secrets
from pathlib import Path

import pytest

from local.engine import ROOT
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Terminal, until
from tests.e2e.planted import files_that_hold, processes_that_hold


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    "given",
    [
        pytest.param("{}", id="one"),
        pytest.param('{{"octo": "{}", "*": "another"}}', id="several", marks=pytest.mark.slow),
    ],
)
def test_the_token_is_nowhere_but_in_its_secret(terminal: Terminal, given: str) -> None:
    """Neither in files, logs and output, nor in the command line or environment of a process."""
    token = f"github_pat_{secrets.token_hex(20)}"
    seen: dict[str, set[str]] = {}
    with SimulatedGitHub(repositories=8, token=[token, "another"], latency=0.05) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN=given.format(token))
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
