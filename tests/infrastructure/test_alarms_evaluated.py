"""Promise: alarms are silent while all is well, tell in time when it is not, and recover."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.infrastructure.cloudwatch import states
from tests.infrastructure.conftest import Template
from traffic.planning import LONGEST_RUN

HOUR = 3600  # seconds
HOURS = 24  # a day's
AT_NINE = 9  # o'clock: the hour in which the daily run succeeds
RUN_HOURS = LONGEST_RUN // timedelta(hours=1)
LOOKED_BACK = [0, 1, 2, 5]  # periods beyond those evaluated; in CloudWatch's own examples 2


def alarm(template: Template, metric: str) -> Mapping[str, Any]:
    """The one alarm on a metric."""
    alarms = (found["Properties"] for found in template.of_type("AWS::CloudWatch::Alarm").values())
    (found,) = [each for each in alarms if each["MetricName"] == metric]
    return dict(found)


def daily(days: int, *without: int) -> dict[int, float]:
    """Count successes by the hour: one each day, but on some of them."""
    return {day * HOURS + AT_NINE: 1.0 for day in range(days) if day not in without}


def test_every_alarm_lies_within_cloudwatchs_limits(template: Template) -> None:
    """An alarm beyond them fails the deployment.

    Source:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (Period: at most seven
        days in all, and one where a period is shorter than an hour; AlarmDescription: 1024 characters)
    """
    for found in template.of_type("AWS::CloudWatch::Alarm").values():
        properties = found["Properties"]
        period = properties["Period"]
        assert period % 60 == 0
        assert period * properties["EvaluationPeriods"] <= (7 * HOURS * HOUR if period >= HOUR else HOURS * HOUR)
        assert len(properties["AlarmDescription"]) <= 1024


@pytest.mark.parametrize("looked_back", LOOKED_BACK)
def test_healthy_days_keep_the_missing_run_silent(template: Template, looked_back: int) -> None:
    """A run a day is healthy: an alarm that tells of it every morning is switched off within a week."""
    found = states(alarm(template, "ExecutionsSucceeded"), daily(30), 30 * HOURS, looked_back=looked_back)

    assert set(found[AT_NINE:]) == {"OK"}


@pytest.mark.parametrize("looked_back", LOOKED_BACK)
@pytest.mark.parametrize("late", [1, 2, RUN_HOURS])
def test_a_run_that_ends_late_is_no_alarm(template: Template, late: int, looked_back: int) -> None:
    """EventBridge may start it late, and GitHub's limit may hold it up for all of its time, every other day."""
    points = {hour + late * (hour // HOURS % 2): ended for hour, ended in daily(10).items()}

    found = states(alarm(template, "ExecutionsSucceeded"), points, 10 * HOURS, looked_back=looked_back)
    assert set(found[AT_NINE:]) == {"OK"}


@pytest.mark.parametrize("looked_back", LOOKED_BACK)
def test_two_missed_runs_are_an_alarm_within_48_hours_and_a_period(template: Template, looked_back: int) -> None:
    """Beyond them only by the periods that CloudWatch looks further back: days are lost after 13 days, not hours."""
    found = states(alarm(template, "ExecutionsSucceeded"), daily(6, 3, 4), 6 * HOURS, looked_back=looked_back)
    last_success, next_success = 2 * HOURS + AT_NINE, 5 * HOURS + AT_NINE
    told = found.index("ALARM", last_success)

    assert told - last_success == 48 + looked_back
    assert found[next_success] == "OK", "it recovers with the next run"
    assert found[told:next_success] == ["ALARM"] * (next_success - told), "one mail, not one an hour"


def test_failed_runs_do_not_pass_for_successes(template: Template) -> None:
    """They run every day, and bring nothing: the alarm counts successes, not runs."""
    found = states(alarm(template, "ExecutionsSucceeded"), daily(1), 4 * HOURS)

    assert found[AT_NINE + 48 :] == ["ALARM"] * (4 * HOURS - AT_NINE - 48)


def test_a_deployment_without_a_run_is_told_until_the_first_run(template: Template) -> None:
    """Nothing knows when it was deployed. It is told once, at once, and over when the README's first run has ended."""
    found = states(alarm(template, "ExecutionsSucceeded"), {1: 1.0}, HOURS)

    assert found == ["ALARM"] + ["OK"] * (HOURS - 1)


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"])
def test_each_bad_end_is_told_once_and_is_over(template: Template, metric: str) -> None:
    """Two bad days are two mails, as the alarm was well again in between; days without data are good days."""
    found = states(alarm(template, metric), {10: 1.0, 298: 1.0}, 400)

    assert [period for period, state in enumerate(found) if state == "ALARM"] == [10, 298]
    assert set(found) == {"OK", "ALARM"}


@pytest.mark.parametrize(
    ("metric", "well", "bad"),
    [
        ("Captured", 12, 0),
        ("Failed", 0, 1),
        ("TokenExpiring", 0, 1),
        ("NewestDayAgeDays", 1, 4),
        ("EmailSubscriptions", 1, 0),
    ],
)
@pytest.mark.parametrize("looked_back", LOOKED_BACK)
def test_what_a_run_finds_is_told_once_and_stands_until_a_run_finds_otherwise(
    template: Template, metric: str, well: float, bad: float, looked_back: int
) -> None:
    """Two bad days in a row are one mail; a good one ends it. Between two runs nothing is known or changes."""
    day = HOURS * 12  # periods of five minutes
    points = {0: well, day: bad, 2 * day: bad, 3 * day: well, 4 * day: well}
    found = states(alarm(template, metric), points, 5 * day, looked_back=looked_back)

    assert found == ["OK"] * day + ["ALARM"] * 2 * day + ["OK"] * 2 * day


def test_nothing_is_told_before_the_first_run_found_anything(template: Template) -> None:
    """An alarm of a metric that was never written knows nothing, and says so."""
    assert set(states(alarm(template, "Captured"), {}, 100)) == {"INSUFFICIENT_DATA"}


def test_a_dead_letter_is_told_as_long_as_it_lies_there(template: Template) -> None:
    """An empty queue falls silent after six hours: no data is an empty queue."""
    found = states(
        alarm(template, "ApproximateNumberOfMessagesVisible"), {0: 0.0, **dict.fromkeys(range(50, 60), 1.0)}, 200
    )

    assert found == ["OK"] * 50 + ["ALARM"] * 10 + ["OK"] * 140
