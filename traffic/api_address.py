"""Which addresses are those of GitHub's API. Pure."""

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
