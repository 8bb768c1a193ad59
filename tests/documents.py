"""The documents that a user reads: the README, CONTRIBUTING and the pages in docs/."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]

README = (ROOT / "README.md").read_text(encoding="utf-8")

# The text of each document, by its path in the project.
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")))
    if path.name != "CHANGELOG.md"
}

ALL = "\n".join(PAGES.values())


def without_examples(text: str) -> str:
    """Return a text without its code blocks, because comments in them look like headings."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def section(page: str, title: str) -> str:
    """Return the part of a page below a heading, up to the next heading.

    Args:
        page: The path of the page in the project: `docs/deploy.md`.
        title: The heading, without its number signs.
    """
    text = without_examples(PAGES[page])
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"{page} has no heading {title!r}"
    return found[1]


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_examples(PAGES[page]), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def examples(language: str) -> list[str]:
    """Return the code blocks of one language in all documents, without their fences."""
    return re.findall(rf"^```{language}\n(.*?)^```$", ALL, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Return each command that the documents show, once: continued lines joined, without comments."""
    typed = [line for block in examples("sh") for line in block.replace("\\\n", " ").splitlines()]
    typed += [line.removeprefix("$ ") for block in examples("console") for line in block.splitlines()[:1]]
    return list(dict.fromkeys(re.sub(r"\s+", " ", line.partition(" # ")[0]).strip() for line in typed))
