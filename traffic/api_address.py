"""Which addresses are those of GitHub's API, and how it shows that something else answers. Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

GITHUB = "https://api.github.com"
EXPECTED = f"{GITHUB}, https://api.TENANT.ghe.com (data residency) or https://HOST/api/v3 (GitHub Enterprise Server)"


def right_address(url: str) -> str | None:
    """Return the address of the API that belongs to an address of GitHub's web site; None if nothing is known wrong.

    A web site answers an API path with its login page. The API of GitHub's own hosts has no `/api/v3`.

    Source:
        https://docs.github.com/en/enterprise-cloud@latest/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if f".{host}".endswith(".github.com"):
        right = GITHUB
    elif f".{host}".endswith(".ghe.com"):
        tenant = host.removesuffix("ghe.com").rstrip(".").rpartition(".")[2]
        right = f"https://api.{'TENANT' if tenant in ('', 'api', 'www') else tenant}.ghe.com"
    else:
        return None
    return None if f"https://{host}" == right and not parts.path.strip("/") else right


def is_web_page(headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether an answer is a page for people. GitHub's API answers with JSON.

    Args:
        headers: With names in lower case, or found in upper and lower case alike.
        body: The answer's.
    """
    return headers.get("content-type", "").startswith("text/html") or body.lstrip().startswith(b"<")


def not_the_api(url: str, answered: str) -> str:
    """Write the error for an address at which something else than GitHub's API answers.

    Args:
        url: What GITHUB_API_URL is.
        answered: What came instead: "a web page".
    """
    return (
        f"GITHUB_API_URL is no address of GitHub's API: {urlsplit(url).hostname} answers with {answered}."
        f" Expected {EXPECTED}. Correct GITHUB_API_URL; of a stack in AWS, the parameter GitHubApiUrl."
    )
