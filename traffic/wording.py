"""Numbers with their nouns, in the singular or the plural. Pure."""


def plural(number: int, one: str, many: str) -> str:
    """Return the form of a noun that a number needs."""
    return one if number == 1 else many


def counted(number: int, one: str, many: str) -> str:
    """Write a number with its noun."""
    return f"{number} {plural(number, one, many)}"


def and_more(total: int, listed: int) -> list[str]:
    """Write how many are left out of a list."""
    return [f"  and {total - listed} more"] if total > listed else []


def repositories(number: int) -> str:
    """Write how many repositories there are."""
    return counted(number, "repository", "repositories")
