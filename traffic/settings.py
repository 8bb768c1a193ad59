"""Every setting that is a parameter of the stack: its names, its default, and what it may be."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from traffic.setting_shapes import (
    CHOICE,
    EMAIL,
    GITHUB,
    GLOB,
    LOOKS_LIKE_TOKEN,
    MAIL,
    OWNER,
    REPOSITORY,
    TOPIC,
    VISIBILITY,
    WrongValueError,
    check_api_url,
)

PARAMETER_SIZE = (
    4096  # characters: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
)

# A function's environment takes 4 KB together, names and the other variables (about 800 bytes) among them:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
SELECTION_SIZE = 3000  # bytes


class SettingError(ValueError):
    """A setting is wrong: the message names it, its value (never the token), what was expected and what to do.

    Where several are wrong, each has a line of its own.
    """


@dataclass(frozen=True)
class Setting:
    """What is known of a setting.

    Attributes:
        key: Its name in `traffic.toml`.
        parameter: Its name as a parameter of the stack.
        shape: Checks one value, or one entry of a list, and gives it as the stack takes it.
        name: Its name in the environment and in `.env`; empty where it says nothing about this machine.
        default: What it is where nobody says anything.
        many: Whether it is a list; separated by commas where it is one text.
    """

    key: str
    parameter: str
    shape: Callable[[str], str]
    name: str = ""
    default: str = ""
    many: bool = False

    def check(self, value: str) -> str:
        """Give one value, or one entry of a list, as the stack takes it.

        Raises:
            WrongValueError: It is none.
        """
        if re.fullmatch(LOOKS_LIKE_TOKEN, value):
            raise WrongValueError(
                "holds what looks like a token (not shown); put it into GITHUB_TOKEN of the environment or .env"
            )
        return self.shape(value)

    def check_text(self, text: str) -> str:
        """Give a whole value that is one text.

        Raises:
            WrongValueError: It, or an entry of it, is wrong.
        """
        if not self.many:
            return self.check(text)
        try:
            return self.joined([self.check(entry.strip()) for entry in text.split(",") if entry.strip()])
        except WrongValueError as exc:
            raise WrongValueError(f"{exc}, separated by commas" if "expected" in str(exc) else str(exc)) from None

    def joined(self, entries: list[str]) -> str:
        """Give a list as the stack takes it.

        Raises:
            WrongValueError: It is too long.
        """
        text = ",".join(entries)
        if len(text) > PARAMETER_SIZE:
            raise WrongValueError(
                f"has together {len(text):,} characters; a stack parameter takes {PARAMETER_SIZE:,}:"
                " use owners or globs"
            )
        return text


def check_size(selection: Mapping[str, str]) -> None:
    """Look whether the lists fit into a function's environment.

    Args:
        selection: Parameters of the stack; those that are no lists do not matter.

    Raises:
        WrongValueError: They do not.
    """
    sizes = {
        each.key: len(selection[each.parameter].encode())
        for each in STACK_SETTINGS
        if each.many and selection.get(each.parameter)
    }
    if sum(sizes.values()) > SELECTION_SIZE:
        raise WrongValueError(
            f"{' and '.join(sizes)} have together {sum(sizes.values()):,} bytes; the environment of a function in AWS"
            f" takes {SELECTION_SIZE:,} of them: use owners or globs"
        )


STACK_SETTINGS = (
    Setting("owners", "Owners", OWNER, "TRAFFIC_OWNERS", many=True),
    Setting("repositories", "Repositories", REPOSITORY, "TRAFFIC_REPOSITORIES", many=True),
    Setting("include", "Include", GLOB, "TRAFFIC_INCLUDE", many=True),
    Setting("exclude", "Exclude", GLOB, "TRAFFIC_EXCLUDE", many=True),
    Setting("topics", "Topics", TOPIC, "TRAFFIC_TOPICS", many=True),
    Setting("visibility", "Visibility", VISIBILITY, "TRAFFIC_VISIBILITY", many=True),
    Setting("forks", "Forks", CHOICE, "TRAFFIC_FORKS", default="include"),
    Setting("archived", "Archived", CHOICE, "TRAFFIC_ARCHIVED", default="include"),
    Setting("api-url", "GitHubApiUrl", check_api_url, "GITHUB_API_URL", default=GITHUB),
    Setting("summary-email", "SummaryEmail", EMAIL),
    Setting("summary-mail", "SummaryMail", MAIL, default="all"),
)
