"""Promise: each error in `traffic.toml` is reported with file, line and value, and with what to do about it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.main import main
from cli.settings.local_settings import read_settings
from cli.settings.settings_file import key_lines, read_settings_file
from traffic.settings import FILE_SETTINGS, SettingError

EVERY_SETTING = """\
# Who and what.
owners = [
    "octo-org",  # ours
    'acme',
]
repositories = ["octo/docs"]
"include" = ["octo/*", "octo-org/*"]
exclude = []
topics = ["python"]
visibility = ["public", "Internal"]
forks = "exclude"
archived = "only"
api-url = "https://ghe.example/api/v3/"
run-hour = 12
summary-email = "you@example.com"
summary-mail = "weekly"
"""


def written(folder: Path, content: str | bytes) -> Path:
    """Write a settings file."""
    file = folder / "traffic.toml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def complaints(folder: Path, content: str | bytes) -> list[str]:
    """Read a wrong file, and return the errors without its folder."""
    with pytest.raises(SettingError) as raised:
        read_settings_file(written(folder, content))
    return [line.removeprefix(f"{folder}/") for line in str(raised.value).splitlines()]


@pytest.mark.parametrize(
    "content",
    [EVERY_SETTING.encode(), b"\xef\xbb\xbf" + EVERY_SETTING.encode(), EVERY_SETTING.replace("\n", "\r\n").encode()],
)
def test_every_setting_can_be_written(tmp_path: Path, content: bytes) -> None:
    """Editors on Windows write a byte order mark before the text, and other line ends."""
    read = read_settings_file(written(tmp_path, content))

    assert {key: (each.value, each.line) for key, each in read.items()} == {
        "owners": ("octo-org,acme", 2),
        "repositories": ("octo/docs", 6),
        "include": ("octo/*,octo-org/*", 7),
        "exclude": ("", 8),
        "topics": ("python", 9),
        "visibility": ("public,internal", 10),
        "forks": ("exclude", 11),
        "archived": ("only", 12),
        "api-url": ("https://ghe.example/api/v3", 13),
        "run-hour": ("12", 14),
        "summary-email": ("you@example.com", 15),
        "summary-mail": ("weekly", 16),
    }
    assert set(read) == {each.key for each in FILE_SETTINGS}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('\nowner = ["octo"]', "line 2: there is no setting 'owner'; did you mean owners?"),
        ('TRAFFIC_FORKS = "only"', "line 1: there is no setting 'TRAFFIC_FORKS'; did you mean forks?"),
        ('GitHubApiUrl = "https://h"', "line 1: there is no setting 'GitHubApiUrl'; did you mean api-url?"),
        ("colour = 1", "line 1: there is no setting 'colour'; expected one of owners, repositories, include,"),
        ('private = "only"', "line 1: there is no setting 'private': it was replaced by visibility"),
        ('home = "/data"', "line 1: there is no setting 'home': .* TRAFFIC_HOME in the environment or .env"),
        ('owners = "octo"', "line 1: owners is 'octo'; expected an array of strings, as owners = "),
        ("forks = false", "line 1: forks is false; expected a string in quotes, as forks = .include"),
        ("# a\nforks = [\n'only']", "line 2: forks is an array; expected a string in quotes"),
        ('owners = [\n "octo",\n # "x",\n 7,\n]', "line 4: owners holds 7; expected strings in quotes"),
        ('owners = ["a",\n["b"]]', "line 1: owners holds an array; expected strings in quotes"),
        (
            'owners = ["a", # "b", [\n\n"octo/docs"]',
            "line 3: owners holds 'octo/docs'; .* owner/name is for repositories",
        ),
        ('owners = ["octo,acme"]', "line 1: owners holds 'octo,acme'; expected organizations and users"),
        ("owners = ['''\nocto''',\n'''a\n''']", r"line 1: owners holds 'a\\n'; expected organizations"),
        ('repositories = ["octo"]', "line 1: repositories holds 'octo'; expected owner/name"),
        ('visibility = ["public",\n"secret"]', "line 2: visibility holds 'secret'; expected one of public, private,"),
        ('\n\n"forks" = "no"', "line 3: forks is 'no'; expected one of include, exclude, only"),
        ('forks = ""', "line 1: forks is ''; expected one of include, exclude, only"),
        (
            'include = ["octo/*"]\nexclude = [\n"playground"]',
            "line 3: exclude holds 'playground', but .* is owner/name: write '[*]/playground'",
        ),
        ("run-hour = 6", r"line 1: run-hour is '6'; expected an hour from 7 to 23 \(UTC\)"),
        ('run-hour = "24"', r"line 1: run-hour is '24'; expected an hour from 7 to 23 \(UTC\)"),
        ("run-hour = true", "line 1: run-hour is true; expected"),
        ("run-hour = [9]", "line 1: run-hour is an array; expected"),
        ('summary-mail = "daily"', "line 1: summary-mail is 'daily'; expected one of all, weekly, problems"),
        ('summary-email = "you"', "line 1: summary-email is 'you'; expected one e-mail address"),
        ('api-url = "http://ghe.example"', "line 1: api-url is .* in clear text; use https://"),
        ("\n[selection]\nowners = ['a']", "line 2: there is no setting 'selection'; expected one of"),
        ("a.owners = ['a']", "line 1: there is no setting 'a'; expected one of"),
        ("\nowners . x = 1", "line 2: owners is a table; expected an array of strings"),
        ("\n[[owners]]\nx = 1", "line 2: owners holds a table; expected strings in quotes"),
        ("\nforks = exclude", "line 2, column 9: this is not TOML .*; expected lines as"),
        ('owners = ["a"]\nowners = ["b"]', "line 2: this is not TOML .Cannot overwrite a value"),
        ('owners = ["a",\n\n', "line 1: this is not TOML .*; expected lines as"),
        ("forks = 9" + "9" * 5000, "traffic.toml: this is not TOML"),
        ("forks = " + "[" * 5000, "arrays are nested too deeply"),
        (b"\n# caf\xe9\n", "line 2: this is not UTF-8; save the file as text in UTF-8"),
        ("forks = 'only'".encode("utf-16"), "line 1: this is not UTF-8; save the file as text in UTF-8"),
        (
            "\ninclude = [" + '"octo/*",' * 600 + "]",
            "line 2: include has 4,199 characters in total; .* takes 4,096: use owners",
        ),
        (
            "include = [" + '"octo/*",' * 220 + "]\nexclude = [" + '"octo/*",' * 230 + "]",
            "line 2: include and exclude have 3,148 bytes in total; .* takes 3,000: use owners",
        ),
    ],
)
def test_an_error_is_reported_with_its_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    """The user can correct it without reading the code, or the complete file."""
    (reported,) = complaints(tmp_path, content)

    assert reported.startswith("traffic.toml")
    assert re.search(message, reported), reported


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    """Otherwise the user needs one try for each error."""
    reported = complaints(tmp_path, 'forks = "no"\nowners = [\n"a b",\n"c d"]\ncolour = 1\n')

    assert [line.partition(":")[0] for line in reported] == [f"traffic.toml, line {number}" for number in (1, 3, 4, 5)]


@pytest.mark.parametrize(
    "content",
    [
        'token = "ghp_planted0000000000000000000"',
        'github-token = ["ghp_planted0000000000000000000"]',
        'tokens.octo = "ghp_planted0000000000000000000"',
        '[tokens]\nocto = "ghp_planted0000000000000000000"',
        'GITHUB_TOKEN = "planted"',
        'GitHubAccessToken = "planted"',
        'owners = ["ghp_planted0000000000000000000"]',
        'owners = "ghp_planted0000000000000000000"',
        'forks = "ghp_planted0000000000000000000"',
        'ghp_planted0000000000000000000 = "x"',
    ],
)
def test_a_token_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    """People share the file, and outputs are kept in logs."""
    printed = " ".join(complaints(tmp_path, content))

    assert "not shown" in printed
    assert "planted" not in printed
    assert "`traffic token`" in printed or "expected an array" in printed


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder with that name is not a settings file."""
    (tmp_path / "traffic.toml").mkdir()

    with pytest.raises(SettingError, match=r"traffic\.toml cannot be read .Is a directory"):
        read_settings({}, tmp_path)


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_settings_file(tmp_path: Path) -> None:
    """Each value has its source."""
    written(tmp_path, 'owners = ["from-file"]\n\nforks = "only"\narchived = "only"\n')
    (tmp_path / ".env").write_text("TRAFFIC_FORKS=exclude\nTRAFFIC_ARCHIVED=exclude\n")

    read = read_settings({"TRAFFIC_ARCHIVED": "include"}, tmp_path)

    chosen = {
        key: (read.chosen[key].value, read.chosen[key].source) for key in ("owners", "forks", "archived", "topics")
    }
    assert chosen == {
        "owners": ("from-file", f"{tmp_path}/traffic.toml, line 1"),
        "forks": ("exclude", f"{tmp_path}/.env"),
        "archived": ("include", "environment"),
        "topics": ("", "default"),
    }
    assert read.parameters["Owners"] == "from-file"


def test_a_wrong_file_is_refused_even_if_the_environment_wins(tmp_path: Path) -> None:
    """The file would be wrong on the next machine."""
    written(tmp_path, 'forks = "no"')

    with pytest.raises(SettingError, match="line 1: forks"):
        read_settings({"TRAFFIC_FORKS": "only"}, tmp_path)


def test_a_command_refuses_a_wrong_file_with_one_line_for_each_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2; no engine was started, and no history was begun."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path / "home"))
    written(tmp_path, 'forks = "no"\nowner = ["x"]\n')

    assert main(["run"]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert [line[:37] for line in lines] == [f"traffic: error: traffic.toml, line {n}:" for n in (1, 2)]
    assert not (tmp_path / "home").exists()


STRINGS = st.sampled_from(
    [
        '"a"',
        "'b'",
        '"""c"""',
        "'''d'''",
        '"""e\n\nf""\\""""""',
        "''''g''''",
        '"""h""""',
        '"#[,"',
        "'\"'",
        "7",
        "1979-05-27 07:32:00",
        "{x=[1,2]}",
    ]
)
GAPS = st.sampled_from(["", " ", "\n", '# [,"\n', "\r\n", "\t"])
ARRAYS = st.recursive(
    st.tuples(GAPS, STRINGS, GAPS).map("".join),
    lambda inner: st.lists(inner, max_size=4).map(lambda entries: f"[{','.join(entries)}]"),
    max_leaves=8,
)


@given(st.lists(st.tuples(GAPS, ARRAYS, GAPS).map("".join), max_size=5), GAPS, GAPS)
def test_the_line_of_each_key_is_found_however_its_value_is_written(
    entries: list[str], gap: str, gap_of_x: str
) -> None:
    """A wrong line sends the user to a place where nothing is wrong."""
    text = f'{gap_of_x.replace(chr(9), "")}\n"x" . y = [1]\n'
    line_of_x = text.count("\n")
    text += gap + "\n" if gap.strip() else gap
    line_of_k = text.count("\n") + 1
    text += f'"k"=[{",".join(entries)}]\nz = 1\n'
    line_of_z = text.count("\n")
    text += "[t]\nk = 1\n"
    parsed: Any = tomllib.loads(text)

    found = key_lines(text)

    assert found == {"x": line_of_x, "k": line_of_k, "z": line_of_z, "t": line_of_z + 1}
    assert set(found) == set(parsed)


def test_a_long_list_is_read_quickly() -> None:
    """An array with an entry on each line is read once, not once for each of its lines."""
    text = "owners = [\n" + '"octo",\n' * 50_000 + ']\nforks = "only"\n'

    assert key_lines(text) == {"owners": 1, "forks": 50_003}
