"""No file, output or process except the secret contains the token."""

import secrets
from pathlib import Path

import pytest

from local.engine import ROOT
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Terminal, until
from tests.e2e.planted import files_with, processes_with


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    "given",
    [
        pytest.param("{}", id="one"),
        pytest.param('{{"octo": "{}", "*": "another"}}', id="several", marks=pytest.mark.slow),
    ],
)
def test_only_the_secret_contains_the_token(terminal: Terminal, given: str) -> None:
    """It is not in other files, logs, output, command lines or environments; the text is unique."""
    token = f"github_pat_{secrets.token_hex(20)}"
    seen: dict[str, set[str]] = {}
    with SimulatedGitHub(repositories=8, token=[token, "another"], latency=0.05) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN=given.format(token))
        with terminal.typed("run") as command:
            assert until(lambda: len(github.calls) > 2 + 4 * 4, command)
            for process, place in processes_with(token):
                seen.setdefault(process, set()).add(place)
            output = command.communicate()[0]

    assert command.returncode == 0, output
    assert token not in output
    assert seen == {str(command.pid): {"environ"}}  # the user's own command got it there
    assert [path.name for path in files_with(token, terminal.folder)] == ["secretsmanager.json"]
    assert list(files_with(token, ROOT)) == []
