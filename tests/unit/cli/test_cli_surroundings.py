"""The commands in bad surroundings: proxies, unusable folders, other runs that have not ended."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from requests.utils import should_bypass_proxies

from cli.main import main
from cli.settings.local_settings import read_settings
from cli.stack import opening
from cli.stack.opening import _wait_for_runs
from local.engine import Engine
from traffic.settings import SettingError


def test_calls_to_this_machine_do_not_use_a_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The engine and its functions inherit the environment of the command. A proxy would reach none of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "intranet.example")

    main(["show", "octo/docs"])

    for name in ("NO_PROXY", "no_proxy"):
        assert os.environ[name] == "intranet.example,127.0.0.1,localhost,::1"
    for host in ("127.0.0.1", "localhost", "intranet.example"):
        assert should_bypass_proxies(f"http://{host}:8080/", os.environ["NO_PROXY"])
    assert not should_bypass_proxies("http://api.github.com/", os.environ["NO_PROXY"])


def test_a_home_that_cannot_be_made_is_one_clear_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A traceback looks like a fault of the program, not of the folder."""
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr(opening, "synthesize", lambda *_given, **_options: tmp_path)

    assert main(["run"]) == 1

    error = capsys.readouterr().err
    assert error.startswith("traffic: error:")
    assert str(tmp_path / "file" / "home") in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("content", ["GITHUB_TOKEN=x\n".encode("utf-16"), b"GITHUB_TOKEN=x # caf\xe9\n"])
def test_a_dotenv_in_another_encoding_is_one_clear_message(tmp_path: Path, content: bytes) -> None:
    """A shell of Windows writes UTF-16 by default."""
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingError, match=r"\.env cannot be read .*UTF-8"):
        read_settings({}, tmp_path)


class BusyStepFunctions:
    """An engine whose run ends after a number of looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def client(self, _service: str) -> "BusyStepFunctions":
        """Be the client."""
        return self

    def list_state_machines(self) -> Any:
        """List the only state machine."""
        return {"stateMachines": [{"stateMachineArn": "machine"}]}

    def list_executions(self, **given: str) -> dict[str, Sequence[str]]:
        """List what is running, and count the look."""
        assert given == {"stateMachineArn": "machine", "statusFilter": "RUNNING"}
        self.looks -= 1
        return {"executions": ["run"] if self.looks > 0 else []}


def test_a_deployment_waits_for_a_run_and_reports_it_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment restarts the functions, and would kill one that is working."""
    monkeypatch.setattr(opening, "LOOK_EVERY", 0)
    busy = BusyStepFunctions(looks=3)

    _wait_for_runs(cast("Engine", busy))

    assert busy.looks == 0
    assert capsys.readouterr().err.count("Another run is going on here") == 1
