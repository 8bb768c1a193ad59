"""Files that appear when they are complete, and who may read them."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.atomic_file import atomic_file, atomic_path
from cli.export_formats import DAYS, FILES, cells_of
from cli.terminal import CommandError
from tests.infrastructure.house import ROOT
from traffic.record.reading import DayRow

ROWS = [cells_of(DayRow("octo/docs", "2026-11-19T00:00:00Z", (1, None, None, None)), "octo/docs")]


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """New files are readable by everybody, as on most machines."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Return who may read, write and run a file."""
    return path.stat().st_mode & 0o7777


@pytest.mark.usefixtures("usual_umask")
def test_a_private_file_is_readable_by_its_owner_only_also_while_it_is_written(tmp_path: Path) -> None:
    """Referrers on a machine of several people are for its owner alone, at every moment."""
    with atomic_path(tmp_path / "report.html", private=True) as path:
        path.write_text("half")
        assert mode(path.parent) & 0o077 == 0

    assert mode(tmp_path / "report.html") == 0o600


@pytest.mark.usefixtures("usual_umask")
@pytest.mark.parametrize("chosen", [0o600, 0o640, 0o644])
@pytest.mark.parametrize("private", [False, True])
def test_the_mode_that_a_user_set_on_a_file_stays(tmp_path: Path, chosen: int, private: bool) -> None:
    """Somebody shares the report with a group; another command must neither open nor close it."""
    target = tmp_path / "traffic.csv"
    target.touch()
    target.chmod(chosen)

    with atomic_file(target, private=private) as file:
        file.write("new")

    assert (mode(target), target.read_text()) == (chosen, "new")


@pytest.mark.usefixtures("usual_umask")
def test_a_picture_for_a_readme_is_readable_as_any_new_file(tmp_path: Path) -> None:
    """A web server of another user shows it."""
    with atomic_file(tmp_path / "badge.svg") as file:
        file.write("<svg/>")

    assert mode(tmp_path / "badge.svg") == 0o644


@pytest.mark.usefixtures("usual_umask")
@pytest.mark.parametrize("form", FILES)
def test_a_database_is_private_whatever_its_library_does(tmp_path: Path, form: str) -> None:
    """DuckDB and SQLite create files of their own."""
    for _ in range(2):
        with atomic_path(tmp_path / f"traffic.{form}", private=True) as path:
            FILES[form](DAYS, ROWS, path)
        assert mode(tmp_path / f"traffic.{form}") == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [f"traffic.{form}"]


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    """The link may lead to another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "traffic.csv").symlink_to(tmp_path / "disk" / "traffic.csv")

    with atomic_file(tmp_path / "traffic.csv") as file:
        file.write("new")

    assert (tmp_path / "traffic.csv").is_symlink()
    assert (tmp_path / "disk" / "traffic.csv").read_text() == "new"


def test_a_full_disk_is_reported_with_what_helps(tmp_path: Path) -> None:
    """Another folder of the same disk would not help."""

    def write() -> None:
        with atomic_path(tmp_path / "traffic.csv"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CommandError, match=r"No space left on device.*free some space"):
        write()


@pytest.mark.parametrize("name", ["", "/", ".", "folder", "pipe"])
def test_what_is_no_file_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    """As root, a rename would replace even /dev/null by a file."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    path = Path(name) if name in ("", "/", ".") else tmp_path / name

    with pytest.raises(CommandError, match="is not a file"), atomic_path(path):
        pass

    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "pipe"]


@pytest.mark.parametrize(
    "name",
    [
        *("traffic-report.html", "traffic.html", "traffic.csv", "traffic.json", "traffic.jsonl"),
        *("traffic.parquet", "traffic.sqlite", "traffic.db", ".traffic-report.html.x1y2/traffic-report.html"),
    ],
)
def test_git_ignores_the_files_that_the_documents_write_into_the_repository(name: str) -> None:
    """One `git add .` must not publish the referrers."""
    asked = ["git", "check-ignore", "--quiet", "--no-index", name]
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the project is no repository")

    assert subprocess.run(asked, cwd=ROOT, check=False).returncode == 0  # noqa: S603 - our own words


@pytest.mark.parametrize("name", ["traffic.toml", "cdk.json", "docs/page.html", "cli/report/page.html"])
def test_git_ignores_no_source(name: str) -> None:
    """A pattern that is too wide would lose a file of the project."""
    asked = ["git", "check-ignore", "--quiet", "--no-index", name]
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the project is no repository")

    assert subprocess.run(asked, cwd=ROOT, check=False).returncode == 1  # noqa: S603 - our own words
