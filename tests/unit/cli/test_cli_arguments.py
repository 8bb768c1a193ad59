"""The command line itself: what it takes, what it refuses, how it ends."""

from typing import Any

import pytest

from cli import main as entry
from cli.terminal import CommandError, UsageError
from local.engine import EngineError


def parsed(*arguments: str) -> Any:
    """Parse arguments as `traffic` does."""
    return entry.parser().parse_args(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--aws", "--profile", "p", "--region", "eu-west-1", "executions"),
        ("executions", "--aws", "--profile", "p", "--region", "eu-west-1"),
        ("--aws", "executions", "--profile", "p", "--region", "eu-west-1"),
    ],
)
def test_the_options_for_aws_may_stand_before_or_after_the_command(arguments: tuple[str, ...]) -> None:
    """`gh` and `aws` users write them in either place."""
    found = parsed(*arguments)

    assert (found.aws, found.profile, found.region) == (True, "p", "eu-west-1")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "--date", "2999-01-01"), "future"),
        (("run", "--date", "20261120"), "'20261120' is not a day"),
        (("run", "--date", "2026-02-30"), "'2026-02-30' is not a day"),
        (("run", "--at", "2026-11-20T09:00:00"), "not a time"),
        (("run", "--at", "2026-11-20"), "not a time"),
        (("run", "--at", "2026-11-20T09:00:00Z", "--date", "2026-11-20"), "not allowed with"),
        (("executions", "--limit", "0"), "'0' is not a number of at least 1"),
        (("export",), "--format"),
        (("export", "--format", "xml"), "xml"),
        ((), "COMMAND"),
    ],
)
def test_wrong_use_is_named_and_exits_with_2(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing starts: a wrong date must not cost an engine's start, or a run."""
    with pytest.raises(SystemExit) as ended:
        parsed(*arguments)

    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_time_with_an_offset_is_sent_in_utc() -> None:
    """The event that EventBridge sends is in UTC."""
    assert parsed("run", "--at", "2026-11-20T10:00:00+01:00").at == "2026-11-20T09:00:00Z"


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--aws", "--at", "2026-11-20T09:00:00Z"),
        ("start", "--aws"),
        ("show", "octo/docs", "--region", "eu-west-1"),
    ],
)
def test_options_that_cannot_go_together_exit_with_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Done silently otherwise, they would do something else than was asked."""
    assert entry.main(arguments) == 2
    assert capsys.readouterr().err.startswith("traffic: error: ")


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (UsageError("no\nsuch thing"), 2),
        (CommandError("no\nsuch thing"), 1),
        (EngineError("no\nsuch thing"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_kind_of_failure_has_its_exit_code_and_one_line(
    raised: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's mistake shows no traceback; a script reads the exit code."""

    def failing(_arguments: object) -> int:
        raise raised

    monkeypatch.setattr("cli.commands.executions.execute", failing)

    assert entry.main(["executions"]) == code
    errors = capsys.readouterr().err.splitlines()
    assert errors == ([] if code == 130 else ["traffic: error: no such thing"])


@pytest.mark.parametrize("command", ["run", "executions", "show", "export", "start", "settings", "token", "doctor"])
def test_each_command_has_a_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An example says in a line what a list of options does not."""
    with pytest.raises(SystemExit) as ended:
        parsed(command, "--help")

    assert ended.value.code == 0
    assert f"traffic {command}" in capsys.readouterr().out.split("examples:")[1]


def test_an_error_of_aws_that_ends_a_sentence_gets_no_second_full_stop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """boto3 ends some of its errors with a full stop, and others without."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    assert entry.main(["executions", "--aws"]) == 1

    assert "You must specify a region. Check --profile" in capsys.readouterr().err
