"""Which repository each part of an import belongs to, by its label, the options, or a person."""

from collections.abc import Sequence

import pytest

from cli.imports.naming import GivenNames, name_parts
from cli.imports.recognizing import Part
from cli.imports.tool_history import ToolHistory
from cli.terminal import UsageError

NOTHING = GivenNames(None, {}, None, {})

TWO = (
    "--repository octo/docs is for the files of one repository, but 2 were found, in a, b: give each with"
    " --repository PATH=OWNER/NAME, or import one."
)


def part(place: str, label: str = "", *, empty: bool = False) -> Part:
    """Return a part with one day."""
    history = ToolHistory("csv")
    if not empty:
        history.add_day("2024-03-01", {"views-count": 1})
    return Part(place, label, "its folder" if label else "", history)


def names(parts: Sequence[Part], given: GivenNames, answers: Sequence[str] = ()) -> list[str]:
    """Return the names of parts; each question gets the next answer."""
    waiting = iter(answers)
    named, refusals = name_parts(parts, given, lambda _part: next(waiting, ""))
    return [name for name, _ in named] + [refusal.reason for refusal in refusals]


@pytest.mark.parametrize(
    ("parts", "given", "expected"),
    [
        ([part("a", "octo/docs")], NOTHING, ["octo/docs"]),
        (
            [part("a", "docs"), part("b", "web")],
            GivenNames(None, {}, "octo", {"web": "labs"}),
            ["octo/docs", "labs/web"],
        ),
        ([part("a")], GivenNames("octo/docs", {}, None, {}), ["octo/docs"]),
        ([part("a", "old/docs")], GivenNames("octo/docs", {}, None, {}), ["octo/docs"]),
        ([part("a", "octo/web"), part("b")], GivenNames("octo/docs", {}, None, {}), ["octo/web", "octo/docs"]),
        (
            [part("a"), part("b")],
            GivenNames(None, {"a": "octo/docs", "b": "octo/web"}, None, {}),
            ["octo/docs", "octo/web"],
        ),
        ([part("a", empty=True), part("b")], GivenNames("octo/docs", {}, None, {}), ["octo/docs"]),
    ],
)
def test_labels_and_options_name_the_repositories(
    parts: Sequence[Part], given: GivenNames, expected: list[str]
) -> None:
    """An option is stronger than a label; parts without anything to import need no name."""
    assert names(parts, given) == expected


def test_what_nothing_tells_is_refused_with_the_option_that_tells_it() -> None:
    """The option can be pasted behind the command."""
    assert names([part("a/b"), part("c", "docs")], NOTHING) == [
        "a/b has 1 day, by csv, but nothing tells the repository: add --repository a/b=OWNER/NAME.",
        (
            "c has the repository docs (1 day, by csv), but nothing tells its owner: add --owner OWNER, or --owner"
            " docs=OWNER."
        ),
    ]


def test_a_person_is_asked_for_what_nothing_tells() -> None:
    """Only for that."""
    assert names([part("a", "octo/docs"), part("b")], NOTHING, ["octo/web"]) == ["octo/docs", "octo/web"]


@pytest.mark.parametrize(
    ("parts", "given", "error"),
    [
        (
            [part("a"), part("b")],
            GivenNames("octo/docs", {}, None, {}),
            TWO,
        ),
        (
            [part("a", "octo/a"), part("b", "octo/b")],
            GivenNames("octo/docs", {}, None, {}),
            TWO,
        ),
        (
            [part("a")],
            GivenNames(None, {"b": "octo/docs"}, None, {}),
            "--repository b=octo/docs cannot be used: the histories are in a.",
        ),
        (
            [part("a", "x"), part("a", "y")],
            GivenNames(None, {"a": "octo/docs"}, None, {}),
            "--repository a=octo/docs cannot be used: its files are of 2 repositories.",
        ),
    ],
)
def test_an_option_that_could_join_two_repositories_is_refused(
    parts: Sequence[Part], given: GivenNames, error: str
) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError) as refused:
        names(parts, given)

    assert str(refused.value) == error
