"""Promise: no test reads the settings of the person who runs it."""

from pathlib import Path

import pytest

from cli.settings.local_settings import local_settings
from tests.isolation import empty_home


def test_a_token_of_the_person_who_runs_the_tests_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that captured with it would use up the owner's limit at GitHub, and write into their history."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    for variable, folder in (("XDG_CONFIG_HOME", tmp_path / "xdg"), ("HOME", tmp_path / "home" / ".config")):
        planted = folder / "github-traffic-capture" / ".env"
        planted.parent.mkdir(parents=True)
        planted.write_text("GITHUB_TOKEN=planted\n")
        monkeypatch.setenv(variable, str(tmp_path / "home" if variable == "HOME" else folder))
        assert local_settings().token == "planted"

        (tmp_path / f"empty {variable}").mkdir()
        with empty_home(tmp_path / f"empty {variable}"):
            found = local_settings()

        assert found.token is None
        assert found.home.is_relative_to(tmp_path / f"empty {variable}")
        monkeypatch.delenv(variable)


def test_every_test_has_an_empty_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """This one, too: the fixture of all tests has replaced the home."""
    assert Path.home().parent == tmp_path_factory.getbasetemp()
    assert not (Path.home() / ".config" / "github-traffic-capture").exists()
