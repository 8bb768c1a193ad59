"""`traffic news` lists all that is unusual about a day, which the e-mail cuts."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date, timedelta
from typing import Any

import pytest

from cli.main import main
from tests.unit.cli_stack import Stack
from tests.unit.moto_account import moto_account
from traffic.contract import receipts_prefix

DAY = "2026-11-19"  # a Thursday


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stack in which seven repositories have a day far above the usual, and one is far below."""
    with moto_account():
        made = Stack()
        for number in range(1, 8):
            add(made, number, f"octo/tool-{number}", {0: 1000 * number} | {7 * week: 10 for week in range(1, 9)})
        add(made, 8, "octo/site", {0: 8} | {7 * week: 50 for week in range(1, 9)})
        monkeypatch.setattr("cli.commands.news.opened", lambda _target: nullcontext(made.deployment))
        yield made


def add(stack: Stack, id_: int, name: str, views: Mapping[int, int]) -> None:
    """Add a repository, with its views by the days before DAY."""
    known = {"names": {name: {"first": "2026-01-01T09:00:00Z", "last": "2026-11-20"}}}
    covered = {kind: [f"2026-01-01/{DAY}"] for kind in ("views", "clones")}
    stack._put("RepoTrafficRepositories", {"repo-id": str(id_), "repo-name": name, "covered": covered, **known})
    for age, count in views.items():
        day = (date.fromisoformat(DAY) - timedelta(days=age)).isoformat()
        stack.day(name, day, {"views-count": count, "views-complete": True, "repo-id": id_})


def news(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Run the command, and return its lines."""
    assert main(["news", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_every_repository_with_news_is_listed(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The e-mail lists five of a kind and counts the others: here is what it only counted."""
    stack._put(
        "RepoTrafficSnapshots",
        {"repo-id": "7", "captured-on": "2026-11-19", "referrers": [], "paths": []},
    )
    stack._put(
        "RepoTrafficSnapshots",
        {"repo-id": "7", "captured-on": "2026-11-20", "referrers": [{"referrer": "t.co", "count": 1234, "uniques": 9}]},
    )
    lines = news(capsys)

    assert lines[:2] == [
        "Thursday 2026-11-19, the newest complete day:",
        "28,008 views in 8 repositories, 120 a week before.",
    ]
    above, below = lines.index("Far above usual:"), lines.index("Far below usual:")
    assert {line.strip() for line in lines[above:below] if "octo" in line} == {f"octo/tool-{n}" for n in range(1, 8)}
    assert lines[above + 1 : above + 3] == ["  octo/tool-7", "    7,000 views, usual 10 (700 times as many)"]
    assert lines[below + 1 : below + 3] == ["  octo/site", "    8 views, usual 50"]
    referrers = lines.index("New referrers (views in 14 days):")
    assert lines[referrers + 1 : referrers + 3] == ["  octo/tool-7", "    t.co: 1,234"]
    assert not [line for line in lines if line.strip().startswith("and ")]


@pytest.mark.usefixtures("stack")
def test_the_news_of_another_day_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The views and captures of later days are not known on that day."""
    lines = news(capsys, "--date", "2026-11-12")

    assert lines[:2] == ["Thursday 2026-11-12:", "120 views in 8 repositories, 120 a week before."]
    assert not [line for line in lines if line.startswith("Far ")]


def test_the_news_of_a_run_are_those_of_its_newest_day(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """As in its e-mail."""
    stack.step_functions.execution("run-1")
    stack.note(
        receipts_prefix("run-1") + "a.json", [{"id": 1, "recent": {"day": "2026-11-12", "views": 10}}, {"id": 2}]
    )

    assert news(capsys, "run-1")[0] == "Thursday 2026-11-12:"


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("--date", "2026-11-20"), 1, "No complete day 2026-11-20 is kept: the newest one is 2026-11-19."),
        (("run-2", "--date", "2026-11-12"), 2, "A run and --date cannot go together: leave one of them out."),
        (("run-2",), 1, "There is no execution 'run-2': `traffic executions` lists those there are."),
        (("run-3",), 1, "The run run-3 stored no complete day: leave its name out for the newest day."),
    ],
)
def test_what_has_no_news_is_reported(
    stack: Stack, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, error: str
) -> None:
    """An error names what was asked for, and what there is."""
    stack.step_functions.execution("run-3")

    assert main(["news", *arguments]) == code
    assert capsys.readouterr() == ("", f"traffic: error: {error}\n")
