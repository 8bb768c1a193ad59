"""Promise: a function refuses a wrong environment with an error that shows which parameter to deploy again."""

from collections.abc import Callable, Mapping

import pytest

from lambdas.shared.environment import Selection, api_url, console_url, read_selection, setting, summary_mail
from traffic.errors import InvalidSettingError


def test_a_missing_variable_is_reported() -> None:
    """Spaces do not count."""
    for environment in ({}, {"ARCHIVE_BUCKET": " "}):
        with pytest.raises(InvalidSettingError) as raised:
            setting("ARCHIVE_BUCKET", environment)
        assert str(raised.value) == "The setting ARCHIVE_BUCKET is missing: deploy the stack again, which sets it."
    assert setting("ARCHIVE_BUCKET", {"ARCHIVE_BUCKET": " archive "}) == "archive"


def test_an_empty_environment_selects_everything() -> None:
    """These are the defaults of the stack's parameters."""
    assert read_selection({}) == Selection()
    assert read_selection({"TRAFFIC_FORKS": " ", "TRAFFIC_OWNERS": " , "}) == Selection()


def test_every_setting_of_the_selection_is_read() -> None:
    """Owners, topics and visibility are in lower case, because GitHub's names are compared that way."""
    environment = {
        "TRAFFIC_OWNERS": "Octo, acme",
        "TRAFFIC_REPOSITORIES": "Octo/Docs",
        "TRAFFIC_INCLUDE": "Octo/*",
        "TRAFFIC_EXCLUDE": "*/Secret-*,b",
        "TRAFFIC_TOPICS": "Python",
        "TRAFFIC_VISIBILITY": "Public",
        "TRAFFIC_FORKS": "ONLY",
        "TRAFFIC_ARCHIVED": "exclude",
    }

    assert read_selection(environment) == Selection(
        owners=("octo", "acme"),
        names=("Octo/Docs",),
        include=("Octo/*",),
        exclude=("*/Secret-*", "b"),
        topics=("python",),
        visibility=("public",),
        forks="only",
        archived="exclude",
    )


@pytest.mark.parametrize(
    ("read", "environment", "error"),
    [
        (
            read_selection,
            {"TRAFFIC_FORKS": "no"},
            "TRAFFIC_FORKS is 'no'; expected one of include, exclude, only. Deploy again with the parameter Forks.",
        ),
        (
            summary_mail,
            {"SUMMARY_MAIL": "daily"},
            (
                "SUMMARY_MAIL is 'daily'; expected one of all, weekly, problems. Deploy again with the parameter"
                " SummaryMail."
            ),
        ),
        (
            api_url,
            {"GITHUB_API_URL": "http://ghe.example"},
            (
                "GITHUB_API_URL is 'http://ghe.example' and would send the token in clear text; use https://."
                " Deploy again with the parameter GitHubApiUrl."
            ),
        ),
        (api_url, {}, "The setting GITHUB_API_URL is missing: deploy the stack again, which sets it."),
    ],
)
def test_a_wrong_value_is_reported_with_its_parameter(
    read: Callable[[Mapping[str, str]], object], environment: Mapping[str, str], error: str
) -> None:
    """The message is in the mail, for people who deployed the stack."""
    with pytest.raises(InvalidSettingError) as raised:
        read(environment)

    assert str(raised.value) == error


@pytest.mark.parametrize(("given", "wanted"), [("", "all"), (" Weekly ", "weekly"), ("problems", "problems")])
def test_the_wanted_summaries_are_all_by_default(given: str, wanted: str) -> None:
    """Upper and lower case do not matter."""
    assert summary_mail({"SUMMARY_MAIL": given}) == wanted


def test_there_is_no_console_beside_another_endpoint() -> None:
    """A link to AWS's console would be wrong for the local engine."""
    assert console_url({"CONSOLE_URL": "https://console"}) == "https://console"
    assert console_url({"CONSOLE_URL": "https://console", "AWS_ENDPOINT_URL": "http://127.0.0.1"}) is None
    assert console_url({}) is None
