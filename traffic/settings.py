"""The table of settings, which stack, functions, `traffic` and documentation follow. Pure."""

import ipaddress
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

# Characters. Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
PARAMETER_SIZE = 4096

# Bytes. The environment of a function has room for 4 KB of names and values; other variables need about 800 bytes.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
SELECTION_SIZE = 3000

LOOKS_LIKE_TOKEN = r"gh[a-z]_\w{20,}|github_pat_\w{20,}|[0-9a-f]{40}"  # noqa: S105 - a pattern

GITHUB = "https://api.github.com"
API_ADDRESSES = (
    f"{GITHUB}, https://api.TENANT.ghe.com (data residency) or https://HOST/api/v3 (GitHub Enterprise Server)"
)

# CloudFormation's check of the API's address; `check_api_url` checks the same and explains what is wrong. Plain http is
# for loopback only, because the token is sent there. On GitHub's own hosts only the API is allowed, without a path: the
# web sites answer with a login page.
API_URL = (
    r"^(https://(?i:api\.github\.com|api\.[a-z0-9-]+\.ghe\.com)\.?(:\d+)?/*"
    r"|https://(?!(?i:([^\s/]*\.)?(github|ghe)\.com\.?)(:\d+)?(/|$))[^\s/@?#]+(/[^\s?#]*)?"
    r"|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^\s?#]*)?)$"
)


class SettingError(ValueError):
    """A setting is wrong. The message names the setting, its value (never the token), what was expected and what to do.

    If several settings are wrong, the message has a line for each.
    """


class WrongValueError(ValueError):
    """A value is wrong. The message continues after the setting's name, and never shows a token."""


def check_api_url(url: str) -> str:
    """Return the API's address without a slash at its end.

    Raises:
        WrongValueError: It is not an address of GitHub's API, or would send the token in clear text over a network.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # its text can hold the password
        parts = urlsplit("")
    if "@" in (parts.netloc or url):
        raise WrongValueError(
            "(not shown) holds a user name or password; type `traffic token` or, for AWS, `traffic token --aws`"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise WrongValueError(f"is {url!r}; expected {API_ADDRESSES}")
    right = _right_address(parts)
    if right is not None:
        raise WrongValueError(f"is {url!r}, which is not an address of GitHub's API; expected {right}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise WrongValueError(f"is {url!r} and would send the token in clear text; use https://")
    return url.rstrip("/")


def _right_address(parts: SplitResult) -> str | None:
    """Return the API's address that belongs to an address of GitHub's web site; None if nothing is known to be wrong.

    The API on GitHub's own hosts has no `/api/v3`.

    Source:
        https://docs.github.com/en/enterprise-cloud@latest/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    host = (parts.hostname or "").rstrip(".")
    if f".{host}".endswith(".github.com"):
        right = GITHUB
    elif f".{host}".endswith(".ghe.com"):
        tenant = host.removesuffix("ghe.com").rstrip(".").rpartition(".")[2]
        right = f"https://api.{'TENANT' if tenant in ('', 'api', 'www') else tenant}.ghe.com"
    else:
        return None
    return None if f"https://{host}" == right and not parts.path.strip("/") else right


def is_loopback(host: str) -> bool:
    """Return whether a host name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Shape(NamedTuple):
    """What a value, or each entry of a list, must look like.

    Attributes:
        pattern: A regular expression, with the same meaning in Python and in CloudFormation (Java).
        expected: The same in words, to follow "expected".
        words: All possible values, in lower case; empty if there are too many to list.
        number: Whether `traffic.toml` may also hold the value as a number, without quotes.
        check: A check that explains more than the pattern does, and returns the value as the stack takes it.
        better: Returns what to type instead of a value that can have no effect; empty for any other value. The pattern
            matches such values, too: earlier versions took them, so deployed stacks may hold them.
    """

    pattern: str
    expected: str
    words: tuple[str, ...] = ()
    number: bool = False
    check: Callable[[str], str] | None = None
    better: Callable[[str], str] | None = None


def one_of(*words: str) -> Shape:
    """Return the shape of a value that is one of some words, in upper or lower case."""
    return Shape(f"({'|'.join(words)})", f"one of {', '.join(words)}", words)


def better_glob(glob: str) -> str:
    """Return a glob for `owner/name` in place of one that has not one slash between two parts; otherwise nothing.

    An asterisk also matches a slash, so some globs without one have an effect: `*-docs` means the same as `*/*-docs`.
    """
    parts = [part for part in glob.split("/") if part]
    if len(parts) == 2 and glob.count("/") == 1:
        return ""
    if len(parts) == 1 and glob.endswith("/"):
        return f"{parts[0]}/*"
    return "/".join(["*", *(parts or ["*"])][-2:])


TOKEN = Shape(r"^\S+$", "a GitHub token: it is not empty, and has no spaces or line breaks")
OWNER = Shape(
    r"[A-Za-z0-9][A-Za-z0-9_-]*",  # the logins of enterprise managed users have an underscore
    "organizations and users such as octo-org; owner/name is for repositories",
)
REPOSITORY = Shape(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", "owner/name")
GLOB = Shape(r"[^\s,]+", "globs such as octo/*", better=better_glob)
TOPIC = Shape(r"[A-Za-z0-9][A-Za-z0-9-]*", "topics such as machine-learning")
CHOICE = one_of("include", "exclude", "only")
ADDRESS = Shape(API_URL, f"{API_ADDRESSES}; plain http on loopback only", check=check_api_url)
EMAIL = Shape(r"^$|^[^@\s]+@[^@\s]+$", "one e-mail address, or nothing")
FOLDER = Shape(r".+", "a folder")

# GitHub has published the day before at 7; a run at 0 to 6 would miss it for a day.
HOURS = tuple(map(str, range(7, 24)))
HOUR = Shape("|".join(HOURS), f"an hour from {HOURS[0]} to {HOURS[-1]} (UTC)", HOURS, number=True)


class Setting(NamedTuple):
    """A row of the table.

    Attributes:
        key: Its name in `traffic.toml` and in `traffic settings`.
        shape: What a value, or each entry of a list, must look like.
        meaning: What it is for, for people who deploy the stack or read the documentation.
        parameter: Its name as a parameter of the stack; empty if the stack does not need it.
        variable: Its name in the environment, of this machine and of the functions; empty if neither reads it there.
        default: The value if nobody sets one.
        many: Whether it is a list: an array in `traffic.toml`, elsewhere a text with commas.
        secret: Whether no file and no output may show it.
        local: Whether this machine reads it from its environment and `.env`; the others are for AWS only.
        functions: The functions that get it in their environment.
    """

    key: str
    shape: Shape
    meaning: str
    parameter: str = ""
    variable: str = ""
    default: str = ""
    many: bool = False
    secret: bool = False
    local: bool = True
    functions: tuple[str, ...] = ()

    @property
    def in_file(self) -> bool:
        """Whether it may stand in `traffic.toml`, and so can be brought to the stack."""
        return bool(self.parameter) and not self.secret

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        return f"{self.shape.expected}, separated by commas" if self.many else self.shape.expected

    @property
    def pattern(self) -> str:
        """The regular expression for a value that is one text."""
        entry = self.shape.pattern
        return rf"^\s*({entry}\s*(,\s*{entry}\s*)*)?$" if self.many else entry

    def misfit(self, value: str) -> str:
        """Return what is wrong with a value that can have no effect, and what to type; empty for any other value."""
        better = self.shape.better(value) if self.shape.better and value else ""
        return f"holds {value!r}, but a repository's name is owner/name: write {better!r}" if better else ""

    def check(self, value: str, *, deployed: bool = False) -> str:
        """Return one value, or one entry of a list, as the stack takes it.

        Args:
            value: The value.
            deployed: Whether a stack holds it: an earlier version may have taken a value that has no effect.

        Raises:
            WrongValueError: It is wrong.
        """
        if re.fullmatch(LOOKS_LIKE_TOKEN, value):
            raise WrongValueError(
                "holds what looks like a token (not shown); type `traffic token` or, for AWS, `traffic token --aws`"
            )
        if self.shape.check:
            return self.shape.check(value)
        checked = value.lower() if self.shape.words else value
        if not re.fullmatch(self.shape.pattern, checked):
            raise WrongValueError(f"{'holds' if self.many else 'is'} {value!r}; expected {self.shape.expected}")
        if not deployed and (misfit := self.misfit(value)):
            raise WrongValueError(misfit)
        return checked

    def check_text(self, text: str, *, deployed: bool = False) -> str:
        """Return a value that is one text, as the stack takes it; `deployed` as in `check`.

        Raises:
            WrongValueError: The value, or an entry of the list, is wrong.
        """
        if not self.many:
            return self.check(text, deployed=deployed)
        try:
            entries = [entry.strip() for entry in text.split(",") if entry.strip()]
            return self.joined([self.check(entry, deployed=deployed) for entry in entries])
        except WrongValueError as exc:
            raise WrongValueError(f"{exc}, separated by commas" if "expected" in str(exc) else str(exc)) from None

    def joined(self, entries: list[str]) -> str:
        """Return a list as the stack takes it.

        Raises:
            WrongValueError: It is too long.
        """
        text = ",".join(entries)
        if len(text) > PARAMETER_SIZE:
            raise WrongValueError(
                f"has {len(text):,} characters in total; a stack parameter takes {PARAMETER_SIZE:,}:"
                " use owners or globs"
            )
        return text


LISTING = ("ListRepos",)

SETTINGS = (
    Setting(
        key="token",
        parameter="GitHubAccessToken",
        variable="GITHUB_TOKEN",
        shape=TOKEN,
        meaning="A GitHub token that may read traffic: fine-grained with Administration (read), or classic with repo.",
        secret=True,
    ),
    Setting(
        key="home",
        variable="TRAFFIC_HOME",
        shape=FOLDER,
        meaning="The folder for the histories on this machine. Empty: github-traffic-capture in XDG_DATA_HOME, or in"
        " ~/.local/share.",
    ),
    Setting(
        key="owners",
        parameter="Owners",
        variable="TRAFFIC_OWNERS",
        shape=OWNER,
        meaning="Captures all repositories of these organizations and users, in addition to Repositories.",
        many=True,
        functions=LISTING,
    ),
    Setting(
        key="repositories",
        parameter="Repositories",
        variable="TRAFFIC_REPOSITORIES",
        shape=REPOSITORY,
        meaning="Captures these repositories, written owner/name, in addition to Owners. Both empty: all repositories"
        " that the token can push to.",
        many=True,
        functions=LISTING,
    ),
    Setting(
        key="include",
        parameter="Include",
        variable="TRAFFIC_INCLUDE",
        shape=GLOB,
        meaning="Captures only repositories whose names match one of these globs of owner/name, such as octo/*."
        " Empty: all.",
        many=True,
        functions=LISTING,
    ),
    Setting(
        key="exclude",
        parameter="Exclude",
        variable="TRAFFIC_EXCLUDE",
        shape=GLOB,
        meaning="Leaves out repositories whose names match one of these globs of owner/name, such as */playground.",
        many=True,
        functions=LISTING,
    ),
    Setting(
        key="topics",
        parameter="Topics",
        variable="TRAFFIC_TOPICS",
        shape=TOPIC,
        meaning="Captures only repositories with one of these topics. Empty: all.",
        many=True,
        functions=LISTING,
    ),
    Setting(
        key="visibility",
        parameter="Visibility",
        variable="TRAFFIC_VISIBILITY",
        shape=one_of("public", "private", "internal"),
        meaning="Captures only repositories of these kinds: public, private, internal. Empty: all.",
        many=True,
        functions=LISTING,
    ),
    Setting(
        key="forks",
        parameter="Forks",
        variable="TRAFFIC_FORKS",
        shape=CHOICE,
        meaning="Forks: include or exclude them, or capture only forks.",
        default="include",
        functions=LISTING,
    ),
    Setting(
        key="archived",
        parameter="Archived",
        variable="TRAFFIC_ARCHIVED",
        shape=CHOICE,
        meaning="Archived repositories: include or exclude them, or capture only archived ones.",
        default="include",
        functions=LISTING,
    ),
    Setting(
        key="api-url",
        parameter="GitHubApiUrl",
        variable="GITHUB_API_URL",
        shape=ADDRESS,
        meaning="The address of GitHub's REST API. With data residency: https://api.TENANT.ghe.com. With GitHub"
        " Enterprise Server: https://HOST/api/v3.",
        default=GITHUB,
        functions=("ListRepos", "FetchTraffic"),
    ),
    Setting(
        key="run-hour",
        parameter="RunHour",
        variable="TRAFFIC_RUN_HOUR",
        shape=HOUR,
        meaning="The hour of the daily run, from 7 to 23 in UTC: before 7 GitHub has not published the day before.",
        default="9",
    ),
    Setting(
        key="summary-email",
        parameter="SummaryEmail",
        shape=EMAIL,
        meaning="The e-mail address that gets each run's summary. Empty: nobody is subscribed.",
        local=False,
    ),
    Setting(
        key="summary-mail",
        parameter="SummaryMail",
        variable="SUMMARY_MAIL",
        shape=one_of("all", "weekly", "problems"),
        meaning="Which summaries are sent: all; weekly (the week on Mondays, problems at once); or problems.",
        default="all",
        local=False,
        functions=("SummarizeRun",),
    ),
)

FILE_SETTINGS = tuple(each for each in SETTINGS if each.in_file)
BY_KEY = {each.key: each for each in SETTINGS}
BY_PARAMETER = {each.parameter: each for each in SETTINGS if each.parameter}


def check_size(selection: Mapping[str, str]) -> None:
    """Check that the lists fit into a function's environment.

    Args:
        selection: Values by parameter of the stack; those that are not lists do not matter.

    Raises:
        WrongValueError: They do not fit.
    """
    sizes = {
        each.key: len(selection[each.parameter].encode())
        for each in FILE_SETTINGS
        if each.many and selection.get(each.parameter)
    }
    if sum(sizes.values()) > SELECTION_SIZE:
        raise WrongValueError(
            f"{' and '.join(sizes)} have {sum(sizes.values()):,} bytes in total; the environment of a function in AWS"
            f" takes {SELECTION_SIZE:,}: use owners or globs"
        )


def misfits(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the entries of a stack's lists that nobody may type any more, by parameter.

    Args:
        values: Values by parameter of the stack.
    """
    lists = {each: [entry.strip() for entry in values.get(each.parameter, "").split(",")] for each in FILE_SETTINGS}
    found = {each.parameter: [entry for entry in entries if each.misfit(entry)] for each, entries in lists.items()}
    return {parameter: entries for parameter, entries in found.items() if entries}


def misfit_lines(found: Mapping[str, Sequence[str]]) -> list[str]:
    """Write what is wrong with entries that `misfits` found, and what to type."""
    return [f"{name} {BY_PARAMETER[name].misfit(entry)}" for name, entries in found.items() for entry in entries]


def matches_nothing(glob: str) -> bool:
    """Return whether an entry that `misfits` found has no effect: an asterisk or a question mark matches a slash."""
    return not re.search(r"[*?\[]", glob)


def help_text() -> str:
    """Return the lines of `traffic --help` that list the settings."""
    variables = [each.variable for each in SETTINGS if each.local]
    elsewhere = " and ".join(each.variable for each in SETTINGS if not each.in_file)
    text = (
        f"settings, from the environment or .env: {', '.join(variables)}; all but {elsewhere} also from traffic.toml. "
        "The files are in the current folder, or in the folder that `traffic settings --path` shows."
    )
    return textwrap.fill(text, 110, break_on_hyphens=False)


def markdown_table() -> str:
    """Return the documentation's table of settings, a line for each."""
    rows: list[tuple[str, ...]] = [
        ("environment, `.env`", "stack parameter", "`traffic.toml`", "default", "meaning"),
        ("---",) * 5,
    ]
    for each in SETTINGS:
        names = (each.variable if each.local else "", each.parameter, each.key if each.in_file else "", each.default)
        rows.append((*(f"`{name}`" if name else "-" for name in names), each.meaning.replace("*", r"\*")))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
