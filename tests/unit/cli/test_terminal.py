"""What a person reads on a terminal, and a program in a pipe."""

import io

import pytest

from cli.terminal import MANNER, duration, inform, progress, report_error, say, table, warn

HEADINGS = ("NAME", "NUMBER")
ROWS = [("octo/docs", 1), ("octo/\x1b[31mweb", None)]


class Terminal(io.StringIO):
    """A terminal that keeps what was printed."""

    def isatty(self) -> bool:
        """Return that this is a terminal."""
        return True


def test_a_terminal_shows_aligned_columns_under_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control character is a space, no line ends in spaces, and a cell may be empty."""
    monkeypatch.setattr("sys.stdout", terminal := Terminal())

    table(HEADINGS, iter(ROWS))

    assert terminal.getvalue().splitlines() == [
        "NAME           NUMBER",
        "octo/docs           1",
        "octo/ [31mweb",
    ]


def test_a_pipe_gets_lines_separated_by_tabs_without_headings(capsys: pytest.CaptureFixture[str]) -> None:
    """`cut` and a spreadsheet read them."""
    table(HEADINGS, iter(ROWS))

    assert capsys.readouterr().out == "octo/docs\t1\nocto/ [31mweb\t\n"


def test_a_table_without_rows_has_headings_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person sees that the command worked; a program reads no rows."""
    table(HEADINGS, [])
    assert capsys.readouterr().out == ""

    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    table(HEADINGS, [])
    assert terminal.getvalue() == "NAME  NUMBER\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0.0s"),
        (0.44, "0.4s"),
        (9.94, "9.9s"),
        (10, "10s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (185, "3m05s"),
        (3599, "59m59s"),
        (3600, "1h00m"),
        (3720, "1h02m"),
        (93_784, "26h03m"),
    ],
)
def test_a_duration_is_short(seconds: float, text: str) -> None:
    """A tenth of a second counts only if the duration is short."""
    assert duration(seconds) == text


def test_results_and_messages_go_to_different_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    """What is piped into a file holds no warnings."""
    say("result")
    inform()
    warn("warning")
    report_error("  wrong\nvalue ")

    assert capsys.readouterr() == ("result\n\n", "warning\ntraffic: error: wrong value\n")


def test_quiet_leaves_out_progress_and_hints_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler mails what is left: results, warnings and errors."""
    monkeypatch.setattr(MANNER, "quiet", True)

    say("result")
    inform("hint")
    progress("Read 50,000 days.")
    warn("warning")
    report_error("error")

    assert capsys.readouterr() == ("result\n", "warning\ntraffic: error: error\n")
