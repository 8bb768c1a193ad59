"""How a token is written into `.env`: what stays, and who can read it."""

from pathlib import Path

import pytest

from cli.settings.local_settings import read_settings
from cli.settings.token_file import store_token
from cli.terminal import CommandError

SEVERAL = '{"octo-org":"ghp_1","*":"ghp_2"}'


def test_the_first_token_makes_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    """Folders that are missing are made for the owner only, as the XDG specification asks."""
    file = tmp_path / "config" / "github-traffic-capture" / ".env"

    store_token(file, "github_pat_1")

    assert file.read_text() == "GITHUB_TOKEN=github_pat_1\n"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [each.name for each in file.parent.iterdir()] == [".env"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# mine\nTRAFFIC_FORKS=only", "# mine\nTRAFFIC_FORKS=only\nGITHUB_TOKEN=new\n"),
        ("A=1\n\nexport GITHUB_TOKEN='old' # until May\n# end\n", "A=1\n\nGITHUB_TOKEN=new\n# end\n"),
        ("GITHUB_TOKEN=\nB=2\nGITHUB_TOKEN=older\n", "GITHUB_TOKEN=new\nB=2\n"),
        ("GITHUB_TOKEN=old\r\nB=2\r\n", "GITHUB_TOKEN=new\nB=2\r\n"),
        ("B=2\nGITHUB_TOKEN=old", "B=2\nGITHUB_TOKEN=new\n"),
        ("\ufeffB=2\n", "B=2\nGITHUB_TOKEN=new\n"),
    ],
)
def test_all_other_lines_stay(tmp_path: Path, before: str, after: str) -> None:
    """The file may hold settings of this and of other programs. It was readable by others, and is not any more."""
    file = tmp_path / ".env"
    file.write_bytes(before.encode())
    file.chmod(0o644)

    store_token(file, "new")

    assert file.read_bytes().decode() == after
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("token", ["github_pat_1", SEVERAL, "a'b", r"a\b", "a#b", "$HOME"])
def test_what_is_written_is_what_is_read(tmp_path: Path, token: str) -> None:
    """Several tokens are JSON, full of quotation marks."""
    store_token(tmp_path / ".env", "old")
    store_token(tmp_path / ".env", token)

    assert read_settings({}, tmp_path).token == token


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """People keep their settings in a repository or a vault, and link to them."""
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "env").write_text("A=1\n")
    (tmp_path / ".env").symlink_to(tmp_path / "vault" / "env")

    store_token(tmp_path / ".env", "new")

    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "vault" / "env").read_text() == "A=1\nGITHUB_TOKEN=new\n"


def test_a_place_that_cannot_be_written_is_one_clear_message(tmp_path: Path) -> None:
    """The message never contains the token."""
    (tmp_path / "file").touch()

    with pytest.raises(CommandError) as failed:
        store_token(tmp_path / "file" / ".env", "github_pat_1")

    assert str(failed.value) == (
        f"The token cannot be stored in {tmp_path}/file/.env (File exists): make this file writable."
    )
