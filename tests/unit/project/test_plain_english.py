"""Promise: the words that made our texts hard to read stay rare. Counted in November 2026, and now a tenth of that."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import PAGES, ROOT

FOLDERS = ("traffic", "lambdas", "stacks", "statemachine", "local", "simulated_github", "cli")
TEXTS = (".json", ".js", ".html", ".css")
PROSE = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}

# How often each word may occur.
ALLOWED = {"whole": 9, "told": 4, "said": 4, "is none": 2, "of which": 1, "bore": 0}


def prose() -> Iterator[tuple[str, str]]:
    """Yield the comments, docstrings and other texts outside of tests, each with its place."""
    yield from PAGES.items()
    for name in ("Makefile", ".ci/run", "pyproject.toml"):
        yield name, (ROOT / name).read_text(encoding="utf-8")
    for path in [ROOT / "app.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")))]:
        place = str(path.relative_to(ROOT))
        if path.suffix == ".py":
            yield from ((f"{place}:{line}", text) for line, text in texts_of(path))
        elif path.suffix in TEXTS:
            yield place, path.read_text(encoding="utf-8")


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and strings of a module, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type in PROSE:
            yield token.start[0], token.string


def test_all_kinds_of_text_are_counted() -> None:
    """A count that misses the code, or the definition, proves nothing."""
    places = [place.partition(":")[0] for place, _ in prose()]

    assert {"README.md", "docs/deploy.md", "app.py", "statemachine/capture_traffic.asl.json"} <= set(places)
    assert {place.partition("/")[0] for place in places if place.endswith(".py")} >= set(FOLDERS) - {"statemachine"}


@pytest.mark.parametrize(("word", "allowed"), ALLOWED.items())
def test_a_word_that_is_hard_to_read_is_rare(word: str, allowed: int) -> None:
    """Everyday words are easier: complete, reported, had."""
    pattern = re.compile(rf"\b{word}\b".replace(" ", r"\s+"), re.IGNORECASE)
    found = [place for place, text in prose() for _ in pattern.findall(text)]

    assert len(found) <= allowed, found
