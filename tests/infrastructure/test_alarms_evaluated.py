"""Promise: alarms are silent while all is well, report in time what is not, and recover."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.infrastructure.cloudwatch import states
from tests.infrastructure.conftest import Template
from traffic.deadline import LONGEST_RUN
from traffic.settings import HOURS as HOUR_WORDS

HOUR = 3600  # seconds
HOURS = 24  # in a day
AT_NINE = 9  # the hour in which the daily run succeeds, if nobody chose another one
EARLIEST, LATEST = int(HOUR_WORDS[0]), int(HOUR_WORDS[-1])
RUN_HOURS = LONGEST_RUN // timedelta(hours=1)
LOOKED_BACK = [0, 1, 2, 5]  # periods beyond those evaluated; in CloudWatch's own examples 2


def alarm(template: Template, metric: str) -> Mapping[str, Any]:
    """Return the only alarm on a metric."""
    alarms = (found["Properties"] for found in template.of_type("AWS::CloudWatch::Alarm").values())
    (found,) = [each for each in alarms if each["MetricName"] == metric]
    return dict(found)


def daily(days: int, *without: int, hour: int = AT_NINE) -> dict[int, float]:
    """Return successes by the hour: one each day, except on some days."""
    return {day * HOURS + hour: 1.0 for day in range(days) if day not in without}


def test_every_alarm_is_within_cloudwatchs_limits(template: Template) -> None:
    """An alarm beyond the limits fails the deployment.

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
@pytest.mark.parametrize("hour", [EARLIEST, AT_NINE, LATEST])
def test_healthy_days_keep_the_missing_run_silent(template: Template, looked_back: int, hour: int) -> None:
    """A run a day is healthy: people would switch off an alarm that reports every morning."""
    found = states(alarm(template, "ExecutionsSucceeded"), daily(30, hour=hour), 30 * HOURS, looked_back=looked_back)

    assert set(found[hour:]) == {"OK"}


@pytest.mark.parametrize(("before", "after"), [(EARLIEST, LATEST), (LATEST, EARLIEST)])
def test_another_hour_of_the_run_is_no_alarm(template: Template, before: int, after: int) -> None:
    """The alarm counts from success to success. Up to 40 hours lie between the last run at 7 and the first at 23."""
    points = daily(5, hour=before) | {day * HOURS + after: 1.0 for day in range(5, 10)}

    found = states(alarm(template, "ExecutionsSucceeded"), points, 10 * HOURS)
    assert set(found[before:]) == {"OK"}


@pytest.mark.parametrize("looked_back", LOOKED_BACK)
@pytest.mark.parametrize("late", [1, 2, RUN_HOURS])
def test_a_run_that_ends_late_is_no_alarm(template: Template, late: int, looked_back: int) -> None:
    """EventBridge may start a run late, and GitHub's limit may delay it to its deadline, every other day."""
    points = {hour + late * (hour // HOURS % 2): ended for hour, ended in daily(10).items()}

    found = states(alarm(template, "ExecutionsSucceeded"), points, 10 * HOURS, looked_back=looked_back)
    assert set(found[AT_NINE:]) == {"OK"}


@pytest.mark.parametrize("looked_back", LOOKED_BACK)
@pytest.mark.parametrize("hour", [EARLIEST, AT_NINE, LATEST])
def test_two_missed_runs_are_an_alarm_within_48_hours_and_a_period(
    template: Template, looked_back: int, hour: int
) -> None:
    """CloudWatch may look some periods further back, and report that much later: days are lost after 13 days."""
    points = daily(6, 3, 4, hour=hour)
    found = states(alarm(template, "ExecutionsSucceeded"), points, 6 * HOURS, looked_back=looked_back)
    last_success, next_success = 2 * HOURS + hour, 5 * HOURS + hour
    reported = found.index("ALARM", last_success)

    assert reported - last_success == 48 + looked_back
    assert found[next_success] == "OK", "it recovers with the next run"
    assert found[reported:next_success] == ["ALARM"] * (next_success - reported), "one mail, not one an hour"


def test_failed_runs_do_not_pass_for_successes(template: Template) -> None:
    """The runs happen every day and capture nothing: the alarm counts successes, not runs."""
    found = states(alarm(template, "ExecutionsSucceeded"), daily(1), 4 * HOURS)

    assert found[AT_NINE + 48 :] == ["ALARM"] * (4 * HOURS - AT_NINE - 48)


def test_a_deployment_without_a_run_is_reported_until_the_first_run(template: Template) -> None:
    """No metric shows the time of the deployment. The alarm reports once, at once, and ends with the first run."""
    found = states(alarm(template, "ExecutionsSucceeded"), {1: 1.0}, HOURS)

    assert found == ["ALARM"] + ["OK"] * (HOURS - 1)


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"])
def test_each_bad_end_is_reported_once_and_is_over(template: Template, metric: str) -> None:
    """Two bad days are two mails, because the alarm was OK in between; days without data are good days."""
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
def test_the_result_of_a_run_is_reported_once_and_stays_until_a_run_has_another(
    template: Template, metric: str, well: float, bad: float, looked_back: int
) -> None:
    """Two bad days in a row are one mail; a good day ends the alarm. Between two runs nothing changes."""
    day = HOURS * 12  # periods of five minutes
    points = {0: well, day: bad, 2 * day: bad, 3 * day: well, 4 * day: well}
    found = states(alarm(template, metric), points, 5 * day, looked_back=looked_back)

    assert found == ["OK"] * day + ["ALARM"] * 2 * day + ["OK"] * 2 * day


def test_nothing_is_reported_before_the_first_run_wrote_a_number(template: Template) -> None:
    """The alarm of a metric that was never written has no data, and shows it."""
    assert set(states(alarm(template, "Captured"), {}, 100)) == {"INSUFFICIENT_DATA"}


def test_a_dead_letter_is_reported_as_long_as_it_is_in_the_queue(template: Template) -> None:
    """The data of an empty queue ends after six hours: no data means an empty queue."""
    found = states(
        alarm(template, "ApproximateNumberOfMessagesVisible"), {0: 0.0, **dict.fromkeys(range(50, 60), 1.0)}, 200
    )

    assert found == ["OK"] * 50 + ["ALARM"] * 10 + ["OK"] * 140
