"""A table on terminals of every width."""

import pytest

from cli.columns import laid_out

HEADINGS = ("STATUS", "NAME", "SUMMARY", "VIEWS")
ROWS = [
    ("ok", "manual-20261120T090000Z-1f3a", "Healthy: everything was captured in time, as always.", "1,234"),
    ("failed", "daily", "", "7"),
]


def test_a_wide_terminal_gets_a_line_for_each_row_and_numbers_on_the_right() -> None:
    """Ten digits below four are compared at a glance only if their ends are aligned."""
    assert laid_out(HEADINGS, ROWS, 120) == [
        "STATUS  NAME                          SUMMARY                                               VIEWS",
        "ok      manual-20261120T090000Z-1f3a  Healthy: everything was captured in time, as always.  1,234",
        "failed  daily                                                                                   7",
    ]


def test_a_narrow_terminal_continues_long_texts_on_the_next_line() -> None:
    """A name that breaks in its middle cannot be copied."""
    assert laid_out(HEADINGS, ROWS, 66) == [
        "STATUS  NAME                          SUMMARY                VIEWS",
        "ok      manual-20261120T090000Z-1f3a  Healthy: everything    1,234",
        "                                      was captured in time,",
        "                                      as always.",
        "failed  daily                                                    7",
    ]


def test_a_terminal_narrower_than_the_words_gets_a_block_for_each_row() -> None:
    """A phone's terminal has 40 columns."""
    assert laid_out(HEADINGS, ROWS, 40) == [
        "STATUS: ok",
        "NAME: manual-20261120T090000Z-1f3a",
        "SUMMARY: Healthy: everything was",
        "  captured in time, as always.",
        "VIEWS: 1,234",
        "",
        "STATUS: failed",
        "NAME: daily",
        "VIEWS: 7",
    ]


@pytest.mark.parametrize("width", [1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99, 100, 200])
def test_no_width_breaks_a_word_or_loses_one(width: int) -> None:
    """Only a word that is longer than the terminal may be longer than the line."""
    lines = laid_out(HEADINGS, ROWS, width)

    words = [word for line in lines for word in line.split()]
    for word in " ".join(cell for row in ROWS for cell in row).split():
        assert word in words
    assert all(len(line) <= max(width, 34) for line in lines)


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (["1", "20"], True),
        (["0.000001", "12"], True),
        (["-3", ""], True),
        (["12", "3,456", "unknown"], True),
        (["2026-11-20", "2026-11-21"], False),
        (["12s", "3m05s"], False),
        (["v2", ""], False),
        (["", ""], False),
    ],
)
def test_a_column_of_mostly_numbers_is_aligned_to_the_right(cells: list[str], right: bool) -> None:
    """A day and a duration are no numbers."""
    heading, *_ = laid_out(["WHAT", "HOW MANY LINES"], [("x", cell) for cell in cells], 80)
    _, *lines = laid_out(["WHAT", "HOW MANY LINES"], [("x", cell) for cell in cells], 80)

    assert heading == "WHAT  HOW MANY LINES"
    assert [line.endswith(cell) and len(line) == 20 for line, cell in zip(lines, cells, strict=True) if cell] == [
        right for cell in cells if cell
    ]
