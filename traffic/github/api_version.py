"""The version of GitHub's API that is asked for, and what GitHub says of its end. Pure.

Source:
    https://docs.github.com/en/rest/about-the-rest-api/api-versions
"""

from collections.abc import Mapping

from traffic.clock import day_of, days_before, from_http
from traffic.contract import VersionEnd

API_VERSION = "2022-11-28"
SUPPORTED_UNTIL = "2028-03-10"  # at least: 24 months after the next version, 2026-03-10

SOON = 30  # days
LONGEST = 40  # characters of a header that is not a date: the listing travels from state to state


def version_end(headers: Mapping[str, str]) -> VersionEnd:
    """Read when GitHub closes the version down (`Deprecation`) and stops answering it (`Sunset`).

    Args:
        headers: With names in lower case, or found in upper and lower case alike.

    Returns:
        Days, `2028-03-10`; a header that is not an HTTP date as it is, shortened. Empty while GitHub sends none.
    """
    end: VersionEnd = {}
    if "deprecation" in headers:
        end["deprecated"] = _day(headers["deprecation"])
    if "sunset" in headers:
        end["sunset"] = _day(headers["sunset"])
    return end


def version_end_text(end: VersionEnd) -> str:
    """Write what GitHub says of the version's end."""
    said = [f"closes it down on {end['deprecated']}"] if "deprecated" in end else []
    said += [f"stops answering it on {end['sunset']}"] if "sunset" in end else []
    return (
        f"this program asks for version {API_VERSION} of GitHub's API, supported until {SUPPORTED_UNTIL} at least;"
        f" now GitHub {' and '.join(said)}"
    )


def ends_soon(end: VersionEnd, today: str) -> bool:
    """Return whether GitHub stops answering the version within 30 days, or did already."""
    try:
        return days_before(end.get("sunset", ""), SOON) <= today
    except ValueError:
        return False


def _day(text: str) -> str:
    moment = from_http(text)
    return text[:LONGEST] if moment is None else day_of(moment)
