from collections.abc import Mapping

from aws_cdk import CfnParameter
from constructs import Construct

CHOICES = ["include", "exclude", "only"]
MAILS = ["all", "weekly", "problems"]

OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]*"
REPOSITORY = r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+"
TOPIC = r"[A-Za-z0-9][A-Za-z0-9-]*"
VISIBILITY = "(public|private|internal)"

# Plain http only on loopback: the token is sent there. Of GitHub's own hosts those of the API alone, without a path:
# GitHub's web sites answer with a login page. No user name or password, and no query: the functions refuse both.
API_URL = (
    r"^(https://(?i:api\.github\.com|api\.[a-z0-9-]+\.ghe\.com)\.?(:\d+)?/*"
    r"|https://(?!(?i:([^\s/]*\.)?(github|ghe)\.com\.?)(:\d+)?(/|$))[^\s/@?#]+(/[^\s?#]*)?"
    r"|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^\s?#]*)?)$"
)


class Parameters(Construct):
    """What a deployment may choose. The logical ids are what `cdk deploy --parameters` and `traffic` name."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.token = self._parameter(
            "GitHubAccessToken",
            "A GitHub token that may read traffic: fine-grained with Administration (read), or classic with repo.",
            no_echo=True,
            allowed_pattern=r"^\S+$",
            constraint_description="A GitHub token has no spaces and no line breaks, and is not empty.",
        )
        self.api_url = self._parameter(
            "GitHubApiUrl",
            "GitHub's REST API. Data residency: https://api.TENANT.ghe.com. Enterprise Server: https://HOST/api/v3.",
            default="https://api.github.com",
            allowed_pattern=API_URL,
            constraint_description="https://api.github.com, https://api.TENANT.ghe.com (data residency) or"
            " https://HOST/api/v3 (GitHub Enterprise Server); never GitHub's web site. Plain http on loopback only.",
        ).value_as_string
        self.summary_email = self._parameter(
            "SummaryEmail",
            "Where each run's summary is sent. Empty: nobody is subscribed.",
            default="",
            allowed_pattern=r"^$|^[^@\s]+@[^@\s]+$",
            constraint_description="One e-mail address, or empty.",
        ).value_as_string
        self.summary_mail = self._parameter(
            "SummaryMail",
            "Which summaries are sent: all, weekly (on Mondays, and problems at once), or problems alone.",
            default=MAILS[0],
            allowed_values=MAILS,
        ).value_as_string
        self.selection = self._selection()

    def _selection(self) -> Mapping[str, str]:
        """Say which repositories are captured: the environment of List repositories."""
        return {
            "TRAFFIC_OWNERS": self._list(
                "Owners", "All repositories of these organizations and users, beside those of Repositories.", OWNER
            ),
            "TRAFFIC_REPOSITORIES": self._list(
                "Repositories",
                "These owner/name, beside those of Owners. Both empty: all the token can push to.",
                REPOSITORY,
            ),
            "TRAFFIC_INCLUDE": self._list(
                "Include", "Only names that match one of these globs, as octo/*. Empty: all."
            ),
            "TRAFFIC_EXCLUDE": self._list("Exclude", "No name that matches one of these globs."),
            "TRAFFIC_TOPICS": self._list("Topics", "Only repositories with one of these topics. Empty: all.", TOPIC),
            "TRAFFIC_VISIBILITY": self._list("Visibility", "Any of public, private, internal. Empty: all.", VISIBILITY),
            "TRAFFIC_FORKS": self._choice("Forks", "Forks"),
            "TRAFFIC_ARCHIVED": self._choice("Archived", "Archived repositories"),
        }

    def _list(self, name: str, description: str, shape: str = r"[^\s,]+") -> str:
        # A String, not a CommaDelimitedList, whose default cannot be the empty list.
        return self._parameter(
            name,
            f"{description} Separated by commas.",
            default="",
            allowed_pattern=rf"^\s*({shape}\s*(,\s*{shape}\s*)*)?$",
            constraint_description=f"{description} Separated by commas, or empty.",
        ).value_as_string

    def _choice(self, name: str, which: str) -> str:
        return self._parameter(
            name,
            f"{which}: include, exclude, or capture only those.",
            default=CHOICES[0],
            allowed_values=CHOICES,
        ).value_as_string

    def _parameter(self, name: str, description: str, **options: object) -> CfnParameter:
        parameter = CfnParameter(self, name, type="String", description=description, **options)  # type: ignore[arg-type]
        parameter.override_logical_id(name)
        return parameter
