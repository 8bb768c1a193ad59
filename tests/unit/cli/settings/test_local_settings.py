import os
from pathlib import Path

import pytest

from cli.settings.local_settings import Given, LocalSettings, read_settings, settings_folder
from traffic.settings import SettingError


def settings(home: Path, **environment: str) -> LocalSettings:
    """Read settings from the environment alone."""
    return read_settings({"TRAFFIC_HOME": str(home), **environment})


def test_no_setting_at_all_is_fine() -> None:
    """The first `make run` has no settings: the demonstration's history is in the user's data directory."""
    read = read_settings({"XDG_DATA_HOME": "/data"})

    assert read.token is None
    assert read.history == Path("/data/github-traffic-capture/demo")
    assert read.parameters["Forks"] == "include"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A setting that is typed before a command is meant for that command."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("GITHUB_TOKEN=from-file\nTRAFFIC_FORKS=exclude\n")

    read = read_settings({"GITHUB_TOKEN": "typed"}, tmp_path)

    assert (read.token, read.parameters["Forks"]) == ("typed", "exclude")


def test_a_dotenv_file_is_read_as_shells_read_it(tmp_path: Path) -> None:
    """Files that `source .env` understands hold exports, quotes and comments."""
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        """# mine\n\nexport GITHUB_TOKEN='tok#1' # note\nTRAFFIC_INCLUDE=octo/*, */x-* # both\nTRAFFIC_EXCLUDE=""\n"""
    )

    read = read_settings({}, tmp_path)

    assert read.token == "tok#1"
    assert read.parameters["Include"] == "octo/*,*/x-*"
    assert read.parameters["Exclude"] == ""


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("TRAFFIC_FORKS=only\nghp_pasted\n", 2),
        ("ghp_pasted", 1),
        ("\n# mine\n\n\n  ghp_pasted\n", 5),
        ("TRAFFIC_FORKS='ghp_pasted\nTRAFFIC_TOPICS=a\n", 1),
        ('TRAFFIC_FORKS="only" ghp_pasted\n', 1),
        ("TRAFFIC_FORKS=only\r\n\r\n=ghp_pasted\r\n", 3),
    ],
)
def test_a_broken_line_of_the_file_is_named_but_not_shown(tmp_path: Path, content: str, line: int) -> None:
    """It may be a token that was pasted without its name."""
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(content.encode())

    with pytest.raises(SettingError) as raised:
        read_settings({}, tmp_path)

    assert str(raised.value) == f"{dotenv}, line {line}: expected NAME=VALUE; correct the line or start it with #"


def test_a_value_of_the_file_is_taken_literally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable is replaced in a value, and the process environment stays as it was."""
    monkeypatch.setenv("HOME", "/home/somebody")
    before = dict(os.environ)
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"\xef\xbb\xbfGITHUB_TOKEN=a${HOME}$HOME\r\nTRAFFIC_TOPICS = python \r\nTRAFFIC_FORKS=\n")

    read = read_settings({"TRAFFIC_HOME": str(tmp_path)}, tmp_path)

    assert read.token == "a${HOME}$HOME"
    assert (read.chosen["topics"], read.chosen["forks"]) == (
        Given("python", str(dotenv)),
        Given("include", str(dotenv)),
    )
    assert os.environ == before


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("GITHUB_API_URL", "github.example", "expected https://api.github.com"),
        ("GITHUB_API_URL", "https://github.com", "expected https://api.github.com"),
        ("GITHUB_API_URL", "http://ghe.example/api/v3", "clear text"),
        ("TRAFFIC_REPOSITORIES", "octo/docs,docs", "'docs'; expected owner/name"),
        ("TRAFFIC_OWNERS", "octo/docs", "'octo/docs'; expected organizations and users .* is for repositories"),
        ("TRAFFIC_OWNERS", "octo, the org", "'the org'; expected .* separated by commas"),
        ("TRAFFIC_OWNERS", "github_pat_11AAAAAAA0aaaaaaaaaaaaaa", "like a token .not shown.; type `traffic token`"),
        ("TRAFFIC_TOPICS", "machine_learning", "'machine_learning'; expected topics"),
        ("TRAFFIC_VISIBILITY", "public,secret", "'secret'; expected one of public, private, internal"),
        ("TRAFFIC_INCLUDE", ",".join(["octo/*"] * 600), "has 4,199 characters in total; a stack parameter takes 4,096"),
        ("TRAFFIC_PRIVATE", "exclude", "'exclude' .environment., but it was replaced by TRAFFIC_VISIBILITY"),
        ("GITHUB_API_URL", "https://[bad", "expected https://api.github.com"),
        ("TRAFFIC_ARCHIVED", "no", "'no'; expected one of include, exclude, only"),
        ("TRAFFIC_INCLUDE", "octo docs", "'octo docs'; expected globs"),
        ("TRAFFIC_EXCLUDE", "playground", "holds 'playground', but .* is owner/name: write '[*]/playground'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_was_expected(
    tmp_path: Path, name: str, value: str, message: str
) -> None:
    """The user can put it right without reading the code."""
    with pytest.raises(SettingError, match=message) as raised:
        settings(tmp_path, **{name: value})
    assert str(raised.value).startswith(name)
    assert "github_pat" not in str(raised.value)


def test_settings_that_do_not_fit_a_functions_environment_are_refused(tmp_path: Path) -> None:
    """AWS would refuse the deployment, with an error about a function that the user does not know."""
    long = ",".join(["octo/*"] * 250)

    with pytest.raises(SettingError, match=r"include and exclude have 3,498 bytes in total; .* 3,000: use owners"):
        settings(tmp_path, TRAFFIC_INCLUDE=long, TRAFFIC_EXCLUDE=long)


def test_the_settings_that_choose_repositories_reach_the_stack(tmp_path: Path) -> None:
    """CloudFormation gets them without spaces, and words that GitHub writes in lower case are in lower case."""
    given = settings(
        tmp_path,
        TRAFFIC_OWNERS=" octo , Octo-Org,",
        TRAFFIC_TOPICS="python,machine-learning",
        TRAFFIC_VISIBILITY="Private, internal",
    )

    chosen = {name: given.parameters[name] for name in ("Owners", "Topics", "Visibility", "Repositories")}
    assert chosen == {
        "Owners": "octo,Octo-Org",
        "Topics": "python,machine-learning",
        "Visibility": "private,internal",
        "Repositories": "",
    }


def test_an_empty_value_means_the_default_whatever_the_file_sets(tmp_path: Path) -> None:
    """`TRAFFIC_FORKS= traffic run` uses the default for one command."""
    (tmp_path / ".env").write_text("TRAFFIC_FORKS=exclude\nGITHUB_TOKEN=x\nTRAFFIC_PRIVATE=\n")

    read = read_settings({"TRAFFIC_FORKS": "", "GITHUB_TOKEN": " "}, tmp_path)

    assert (read.token, read.parameters["Forks"]) == (None, "include")


def test_the_token_is_never_shown(tmp_path: Path) -> None:
    """An error does not show it, and neither does a settings object in a traceback."""
    with pytest.raises(SettingError) as raised:
        settings(tmp_path, GITHUB_TOKEN="ghp_with space")

    assert "ghp" not in str(raised.value)
    assert "ghp" not in repr(settings(tmp_path, GITHUB_TOKEN="ghp_fine"))


def test_a_file_in_the_place_of_the_home_is_refused(tmp_path: Path) -> None:
    """The error comes now, and not later when the first folder is made."""
    (tmp_path / "file").touch()

    with pytest.raises(SettingError, match=r"TRAFFIC_HOME .* not a folder"):
        settings(tmp_path / "file")


def test_histories_of_different_sources_never_mix(tmp_path: Path) -> None:
    """Nobody could separate mixed real and made-up numbers again."""
    ghe = {"GITHUB_API_URL": "https://Ghe.example:8443/api/v3/"}
    loopback = {"GITHUB_API_URL": "http://127.0.0.1:8080"}

    assert settings(tmp_path).history.name == "demo"
    assert settings(tmp_path, GITHUB_TOKEN="x").history.name == "api.github.com"
    assert settings(tmp_path, GITHUB_TOKEN="x", **ghe).history.name == "ghe.example_8443"
    assert settings(tmp_path, GITHUB_TOKEN="x", **loopback).history.name == "loopback"
    assert settings(tmp_path, **loopback).history.name == "loopback"


def test_an_address_reaches_the_stack_without_the_slash_at_its_end(tmp_path: Path) -> None:
    """Paths are appended to it, and GitHub does not find `//repos`."""
    assert settings(tmp_path, GITHUB_API_URL="https://h/api/v3/").parameters["GitHubApiUrl"] == "https://h/api/v3"


def test_several_tokens_are_an_object_of_owners_and_tokens(tmp_path: Path) -> None:
    """The object is shortened, because the stack's parameter accepts no spaces."""
    read = settings(tmp_path, GITHUB_TOKEN='{"octo-org": "ghp_1", "*": "ghp_2"}')

    assert read.token == '{"octo-org":"ghp_1","*":"ghp_2"}'


@pytest.mark.parametrize("given", ["{", "{}", "{}x", '{"octo": "ghp_ 1"}', '{"octo/docs": "ghp_1"}', '{"octo": 1}'])
def test_several_tokens_in_a_wrong_form_are_refused_and_not_shown(tmp_path: Path, given: str) -> None:
    """The message shows the right form."""
    with pytest.raises(SettingError, match="each after its owner") as refused:
        settings(tmp_path, GITHUB_TOKEN=given)

    assert "ghp_1" not in str(refused.value)
    assert "ghp_ 1" not in str(refused.value)


def test_each_source_wins_over_the_ones_after_it(tmp_path: Path) -> None:
    """What is nearer to the command counts: the environment, then the current folder, then the fixed place."""
    here, fixed = tmp_path / "here", tmp_path / "fixed"
    names = ["forks", "archived", "visibility", "owners", "topics", "exclude"]
    variables = {name: f"TRAFFIC_{name.upper()}" for name in names}
    environment = {"TRAFFIC_HOME": str(tmp_path), variables["forks"]: "only"}
    files = {
        here / ".env": f"{variables['forks']}=exclude\n{variables['archived']}=only\n",
        here / "traffic.toml": 'archived = "exclude"\nvisibility = ["public"]\n',
        fixed / ".env": f"{variables['visibility']}=private\n{variables['owners']}=octo\nGITHUB_TOKEN=ghp_fixed\n",
        fixed / "traffic.toml": 'owners = ["acme"]\ntopics = ["api"]\n',
    }
    for file, text in files.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o600)

    read = read_settings(environment, here, fixed)

    assert [read.chosen[name] for name in names] == [
        Given("only", "environment"),
        Given("only", f"{here}/.env"),
        Given("public", f"{here}/traffic.toml, line 2"),
        Given("octo", f"{fixed}/.env"),
        Given("api", f"{fixed}/traffic.toml, line 2"),
        Given("", "default"),
    ]
    assert (read.token, read.sources) == (
        "ghp_fixed",
        {"GITHUB_TOKEN": f"{fixed}/.env", "TRAFFIC_HOME": "environment"},
    )
    assert read.exposed == ()


def test_the_files_of_the_current_folder_that_are_used_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They decide only as long as commands are typed there. A file whose values are all hidden is not used."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TRAFFIC_FORKS=only\nEDITOR=vi\n")

    assert read_settings({}, Path()).files_here == [".env"]
    assert read_settings({"TRAFFIC_FORKS": "include"}, Path()).files_here == []
    assert read_settings({}, tmp_path).files_here == []
    (tmp_path / "traffic.toml").write_text('topics = ["api"]\n')
    assert read_settings({}, Path()).files_here == [".env", "traffic.toml"]
    (tmp_path / ".env").write_text("GITHUB_TOKEN=x\n")
    assert read_settings({"TRAFFIC_TOPICS": ""}, Path()).files_here == [".env"]


@pytest.mark.parametrize(
    ("content", "mode", "exposed"),
    [
        ("GITHUB_TOKEN=x\n", 0o600, False),
        ("GITHUB_TOKEN=x\n", 0o640, True),
        ("GITHUB_TOKEN=x\n", 0o604, True),
        ("GITHUB_TOKEN=x\n", 0o622, False),
        ("GITHUB_TOKEN=\nTRAFFIC_FORKS=only\n", 0o644, False),
    ],
)
def test_a_token_that_other_users_can_read_is_known(tmp_path: Path, content: str, mode: int, *, exposed: bool) -> None:
    """The token is in the file also if the environment hides it."""
    (tmp_path / ".env").write_text(content)
    (tmp_path / ".env").chmod(mode)

    read = read_settings({"GITHUB_TOKEN": "y"}, tmp_path, tmp_path / "nothing here")

    assert read.exposed == ((tmp_path / ".env",) if exposed else ())


def test_the_fixed_place_is_the_users_folder_of_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same folder as of any program that follows XDG; its specification ignores relative paths."""
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = tmp_path / ".config" / "github-traffic-capture"

    assert settings_folder({"XDG_CONFIG_HOME": "/etc/mine"}) == Path("/etc/mine/github-traffic-capture")
    assert settings_folder({}) == settings_folder({"XDG_CONFIG_HOME": "mine"}) == usual


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some containers have neither HOME nor an entry for their user."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)

    with pytest.raises(SettingError, match=r"^HOME is not set, .*: set HOME or XDG_CONFIG_HOME$"):
        settings_folder({})


def test_the_demonstration_ignores_a_selection_and_a_token(tmp_path: Path) -> None:
    """Its repositories are other ones, so a selection would leave nothing to show."""
    mine = settings(tmp_path, GITHUB_TOKEN="x", TRAFFIC_OWNERS="acme", GITHUB_API_URL="https://ghe.example/api/v3")

    shown = mine.demonstration

    assert not mine.without_github
    assert shown.without_github
    assert shown.history == tmp_path / "demo"
    assert (shown.parameters["Owners"], shown.api_url) == ("", "https://api.github.com")
