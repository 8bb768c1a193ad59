"""Files that appear when they are complete, and who may read them."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cli.atomic_file import atomic_file, atomic_path
from cli.export_formats import FILES
from cli.relations.relation_columns import RELATIONS
from cli.terminal import CommandError
from tests.infrastructure.house import ROOT

NOTES = RELATIONS["notes"]
ROWS = [("octo/docs", "2026-11-19", "released", 7, "octo/docs")]


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """New files are readable by everybody, as on most machines."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Return who may read, write and run a file."""
    return path.stat().st_mode & 0o7777


def left_in(folder: Path) -> list[str]:
    """Return the names of what a folder contains."""
    return sorted(each.name for each in folder.iterdir())


def device(path: Path, minor: int) -> Path:
    """Make a device of memory: 3 discards everything, 7 has no space."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, minor))
        path.open("wb").close()
    except (OSError, AttributeError) as exc:
        pytest.skip(f"no device can be made here: {exc}")
    return path


@pytest.fixture
def usable_by_all() -> Iterator[Path]:
    """A folder that every user may open; pytest's own may be opened by its owner only."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be another user if this one is root, who may write everywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


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
            FILES[form](NOTES, ROWS, path)
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


def test_a_link_to_a_file_that_exists_keeps_both_modes(tmp_path: Path) -> None:
    """The file is replaced, with the mode that a user set on it."""
    kept = tmp_path / "kept.csv"
    kept.write_text("old")
    kept.chmod(0o640)
    (tmp_path / "traffic.csv").symlink_to("kept.csv")

    with atomic_file(tmp_path / "traffic.csv", private=True) as file:
        file.write("new")

    assert (tmp_path / "traffic.csv").readlink() == Path("kept.csv")
    assert (mode(kept), kept.read_text()) == (0o640, "new")
    assert left_in(tmp_path) == ["kept.csv", "traffic.csv"]


def test_a_full_disk_leaves_the_old_file_and_is_reported_with_what_helps(tmp_path: Path) -> None:
    """Another folder of the same disk would not help."""
    target = tmp_path / "traffic.csv"
    target.write_text("old")

    def write() -> None:
        with atomic_path(target) as path:
            path.write_text("ne")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CommandError, match=r"No space left on device.*free some space"):
        write()

    assert target.read_text() == "old"
    assert left_in(tmp_path) == ["traffic.csv"]


def test_a_folder_that_nobody_may_write_to_keeps_its_file(usable_by_all: Path) -> None:
    """A report of yesterday is better than none."""
    target = usable_by_all / "traffic.csv"
    target.write_text("old")
    usable_by_all.chmod(0o555)

    refused = pytest.raises(CommandError, match=r"Permission denied.*in a folder of yours")
    with unprivileged(), refused, atomic_file(target) as file:
        file.write("new")

    assert target.read_text() == "old"
    assert left_in(usable_by_all) == ["traffic.csv"]


@pytest.mark.parametrize("form", [None, *FILES])
def test_a_pipe_is_written_to_and_stays(tmp_path: Path, form: str | None) -> None:
    """`traffic export --output >(gzip > traffic.csv.gz)`. A database needs to seek, which a pipe cannot."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_bytes)
        if form:
            with atomic_path(pipe, private=True) as path:
                FILES[form](NOTES, ROWS, path)
                wanted = path.read_bytes()
        else:
            with atomic_file(pipe) as file:
                file.write("new")
            wanted = b"new"

    assert read.result() == wanted
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert (mode(pipe), left_in(tmp_path)) == (0o600, ["pipe"])


@pytest.mark.parametrize("linked", [False, True])
def test_a_device_is_written_to_and_stays(tmp_path: Path, linked: bool) -> None:
    """As root, a rename would replace even the null device by a file."""
    null = device(tmp_path / "null", 3)
    given = tmp_path / "link" if linked else null
    if linked:
        given.symlink_to(null)
    before = null.stat()

    with atomic_file(given) as file:
        file.write("new")

    assert given.is_symlink() == linked
    assert (null.stat().st_mode, null.stat().st_rdev) == (before.st_mode, before.st_rdev)
    assert left_in(tmp_path) == sorted({"null", given.name})


def test_a_device_without_space_is_an_error_and_stays(tmp_path: Path) -> None:
    """As a disk that is full."""
    full = device(tmp_path / "full", 7)

    with pytest.raises(CommandError, match=r"No space left on device.*free some space"), atomic_file(full) as file:
        file.write("new")

    assert stat.S_ISCHR(full.stat().st_mode)
    assert left_in(tmp_path) == ["full"]


def test_standard_output_by_its_name_continues_what_was_written(tmp_path: Path) -> None:
    """To open it a second time would write over the beginning of a file that it was redirected to."""
    program = """if True:
        from pathlib import Path
        from cli.atomic_file import atomic_file
        print("before")
        with atomic_file(Path("/dev/stdout")) as file:
            file.write("new\\n")
        print("after")
    """
    target = tmp_path / "traffic.csv"
    with target.open("w") as output:
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=output, check=True)  # noqa: S603 - our own

    assert target.read_text() == "before\nnew\nafter\n"
    assert left_in(tmp_path) == ["traffic.csv"]


@pytest.mark.parametrize("name", ["", "/", ".", "folder"])
def test_a_folder_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    """There is no file in it to replace."""
    (tmp_path / "folder").mkdir()
    path = tmp_path / name if name == "folder" else Path(name)

    with pytest.raises(CommandError, match="is not a file"), atomic_path(path):
        pass

    assert left_in(tmp_path) == ["folder"]


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
