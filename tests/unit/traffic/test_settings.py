"""Promise: the table of settings checks values at their exact limits, and its errors show what to do."""

import re

import pytest

from traffic.settings import (
    API_ADDRESSES,
    BY_KEY,
    FILE_SETTINGS,
    PARAMETER_SIZE,
    SELECTION_SIZE,
    SETTINGS,
    WrongValueError,
    check_api_url,
    check_size,
    help_text,
    is_loopback,
    matches_nothing,
    misfit_lines,
    misfits,
)


def problem(key: str, text: str) -> str:
    """Return the error of a wrong value."""
    with pytest.raises(WrongValueError) as raised:
        BY_KEY[key].check_text(text)
    return str(raised.value)


def test_the_names_of_settings_stay() -> None:
    """They are in files, environments and stacks of users."""
    assert [(each.key, each.parameter, each.variable, each.default) for each in SETTINGS] == [
        ("token", "GitHubAccessToken", "GITHUB_TOKEN", ""),
        ("home", "", "TRAFFIC_HOME", ""),
        ("owners", "Owners", "TRAFFIC_OWNERS", ""),
        ("repositories", "Repositories", "TRAFFIC_REPOSITORIES", ""),
        ("include", "Include", "TRAFFIC_INCLUDE", ""),
        ("exclude", "Exclude", "TRAFFIC_EXCLUDE", ""),
        ("topics", "Topics", "TRAFFIC_TOPICS", ""),
        ("visibility", "Visibility", "TRAFFIC_VISIBILITY", ""),
        ("forks", "Forks", "TRAFFIC_FORKS", "include"),
        ("archived", "Archived", "TRAFFIC_ARCHIVED", "include"),
        ("api-url", "GitHubApiUrl", "GITHUB_API_URL", "https://api.github.com"),
        ("run-hour", "RunHour", "TRAFFIC_RUN_HOUR", "9"),
        ("summary-email", "SummaryEmail", "", ""),
        ("summary-mail", "SummaryMail", "SUMMARY_MAIL", "all"),
    ]
    assert [each.key for each in SETTINGS if not each.in_file] == ["token", "home"]
    assert [each.key for each in SETTINGS if not each.local] == ["summary-email", "summary-mail"]
    assert [each.key for each in SETTINGS if each.secret] == ["token"]


def test_the_help_lists_the_settings() -> None:
    """`traffic --help` shows these lines."""
    assert help_text() == (
        "settings, from the environment or .env: GITHUB_TOKEN, TRAFFIC_HOME, TRAFFIC_OWNERS, TRAFFIC_REPOSITORIES,\n"
        "TRAFFIC_INCLUDE, TRAFFIC_EXCLUDE, TRAFFIC_TOPICS, TRAFFIC_VISIBILITY, TRAFFIC_FORKS, TRAFFIC_ARCHIVED,\n"
        "GITHUB_API_URL, TRAFFIC_RUN_HOUR; all but GITHUB_TOKEN and TRAFFIC_HOME also from traffic.toml. The files "
        "are\nin the current folder, or in the folder that `traffic settings --path` shows."
    )


@pytest.mark.parametrize(
    ("key", "text", "checked"),
    [
        ("owners", " Octo , acme_corp,, a-b ", "Octo,acme_corp,a-b"),
        ("owners", "", ""),
        ("repositories", "octo/.github,Octo-Org/a_b", "octo/.github,Octo-Org/a_b"),
        ("include", "octo/*, */docs-?", "octo/*,*/docs-?"),
        ("topics", "machine-learning", "machine-learning"),
        ("visibility", "Private, INTERNAL", "private,internal"),
        ("forks", "Only", "only"),
        ("run-hour", "7", "7"),
        ("run-hour", "23", "23"),
        ("summary-email", "", ""),
        ("summary-email", "you@example.com", "you@example.com"),
        ("summary-mail", "Weekly", "weekly"),
        ("api-url", "https://ghe.example/api/v3//", "https://ghe.example/api/v3"),
    ],
)
def test_a_right_value_is_returned_as_the_stack_takes_it(key: str, text: str, checked: str) -> None:
    """Without spaces, and words in lower case."""
    assert BY_KEY[key].check_text(text) == checked


@pytest.mark.parametrize(
    ("key", "text", "error"),
    [
        (
            "owners",
            "octo,octo/docs",
            (
                "holds 'octo/docs'; expected organizations and users such as octo-org; owner/name is for repositories,"
                " separated by commas"
            ),
        ),
        ("repositories", "octo/docs/x", "holds 'octo/docs/x'; expected owner/name, separated by commas"),
        (
            "exclude",
            "octo/*,playground",
            "holds 'playground', but a repository's name is owner/name: write '*/playground'",
        ),
        ("include", "octo/", "holds 'octo/', but a repository's name is owner/name: write 'octo/*'"),
        ("include", "/docs", "holds '/docs', but a repository's name is owner/name: write '*/docs'"),
        ("include", "*-docs", "holds '*-docs', but a repository's name is owner/name: write '*/*-docs'"),
        ("include", "*", "holds '*', but a repository's name is owner/name: write '*/*'"),
        ("include", "/", "holds '/', but a repository's name is owner/name: write '*/*'"),
        ("include", "octo//docs", "holds 'octo//docs', but a repository's name is owner/name: write 'octo/docs'"),
        (
            "exclude",
            "https://github.com/octo/docs",
            "holds 'https://github.com/octo/docs', but a repository's name is owner/name: write 'octo/docs'",
        ),
        ("include", "a b", "holds 'a b'; expected globs such as octo/*, separated by commas"),
        ("topics", "a_b", "holds 'a_b'; expected topics such as machine-learning, separated by commas"),
        ("visibility", "secret", "holds 'secret'; expected one of public, private, internal, separated by commas"),
        ("forks", "no", "is 'no'; expected one of include, exclude, only"),
        ("run-hour", "6", "is '6'; expected an hour from 7 to 23 (UTC)"),
        ("run-hour", "24", "is '24'; expected an hour from 7 to 23 (UTC)"),
        ("run-hour", "9:30", "is '9:30'; expected an hour from 7 to 23 (UTC)"),
        ("summary-mail", "daily", "is 'daily'; expected one of all, weekly, problems"),
        ("summary-email", "a@b c", "is 'a@b c'; expected one e-mail address, or nothing"),
        ("api-url", "github.example", f"is 'github.example'; expected {API_ADDRESSES}"),
        ("api-url", "http://h/", "is 'http://h/' and would send the token in clear text; use https://"),
        (
            "topics",
            "a,ghp_aaaaaaaaaaaaaaaaaaaa",
            "holds what looks like a token (not shown); type `traffic token` or, for AWS, `traffic token --aws`",
        ),
    ],
)
def test_a_wrong_value_is_reported_with_what_was_expected(key: str, text: str, error: str) -> None:
    """The message follows the setting's name."""
    assert problem(key, text) == error


@pytest.mark.parametrize(
    "text", ["ghp_" + "a" * 20, "gho_" + "A1_" * 7, "github_pat_" + "a" * 20, "0123456789abcdef" * 2 + "01234567"]
)
def test_what_looks_like_a_token_is_not_shown(text: str) -> None:
    """Every kind of GitHub's tokens, the old ones of 40 digits too."""
    assert text not in problem("include", text)
    assert BY_KEY["include"].check(f"*/{text[:-21]}") == f"*/{text[:-21]}"


def test_a_password_in_the_address_is_not_shown() -> None:
    """The advice names the right place on this machine and in AWS."""
    assert problem("api-url", "https://octo:word@ghe.example/api/v3") == (
        "(not shown) holds a user name or password; type `traffic token` or, for AWS, `traffic token --aws`"
    )


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("10.0.0.5", False), ("h", False)],
)
def test_plain_http_is_for_loopback_only(host: str, local: bool) -> None:
    """Only there the token does not cross a network."""
    assert is_loopback(host) is local
    address = f"http://{f'[{host}]' if ':' in host else host}:8080"
    if local:
        assert check_api_url(address) == address
    else:
        with pytest.raises(WrongValueError, match="clear text"):
            check_api_url(address)


def test_a_list_may_be_exactly_as_long_as_a_parameter() -> None:
    """CloudFormation refuses one character more."""
    longest = "a" * PARAMETER_SIZE

    assert PARAMETER_SIZE == 4096
    assert BY_KEY["topics"].check_text(longest) == longest
    assert problem("topics", f"{longest}a") == (
        "has 4,097 characters in total; a stack parameter takes 4,096: use owners or globs"
    )


def test_the_lists_may_be_together_exactly_as_long_as_an_environment_allows() -> None:
    """Lambda refuses more. Bytes count, not characters; settings that are not lists do not count."""
    fits = {"Include": "a" * 1000, "Exclude": "\u00e9" * 1000, "Forks": "x" * 5000, "Topics": ""}

    assert SELECTION_SIZE == 3000
    check_size(fits)
    with pytest.raises(WrongValueError) as raised:
        check_size({**fits, "Exclude": "\u00e9" * 1000 + "a"})
    assert str(raised.value) == (
        "include and exclude have 3,001 bytes in total; the environment of a function in AWS takes 3,000:"
        " use owners or globs"
    )


def test_a_glob_that_an_earlier_version_took_is_only_named() -> None:
    """A deployed stack goes on: CloudFormation takes the value in an update, and the function at nine o'clock."""
    held = BY_KEY["exclude"].check_text("octo/*, playground", deployed=True)

    assert held == "octo/*,playground"
    assert re.fullmatch(BY_KEY["exclude"].pattern, held)
    found = misfits({"Include": "", "Exclude": "octo/x-* , playground,*-y", "Owners": "octo"})
    assert found == {"Exclude": ["playground", "*-y"]}
    assert misfit_lines(found) == [
        "Exclude holds 'playground', but a repository's name is owner/name: write '*/playground'",
        "Exclude holds '*-y', but a repository's name is owner/name: write '*/*-y'",
    ]
    assert [matches_nothing(each) for each in found["Exclude"]] == [True, False]


def test_every_pattern_accepts_the_default() -> None:
    """A deployment without parameters must not fail."""
    for each in FILE_SETTINGS:
        assert each.check_text(each.default) == each.default
