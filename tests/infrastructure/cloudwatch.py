"""The metrics that AWS's services document, and the rules by which CloudWatch evaluates an alarm."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

# Metrics by namespace and dimension.
# Source:
#     https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
#     https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
#     https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
DOCUMENTED: Mapping[tuple[str, str], set[str]] = {
    ("AWS/States", "StateMachineArn"): {
        "ExecutionsSucceeded",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "ExecutionTime",
    },
    ("AWS/SQS", "QueueName"): {"ApproximateNumberOfMessagesVisible"},
    ("AWS/Lambda", "FunctionName"): {"Errors"},
}

BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}


def state_after(
    alarm: Mapping[str, Any], points: Mapping[int, float], now: int, before: str, *, looked_back: int = 0
) -> str:
    """Evaluate an alarm once, by CloudWatch's rules for missing data.

    Args:
        alarm: Its properties in the template; all evaluated periods must breach, as in all alarms of the stack.
        points: The metric's statistic by period, counted from 0; other periods are missing.
        now: The latest period.
        before: The alarm's state before.
        looked_back: How many earlier periods CloudWatch retrieves. Its documentation mentions them, but no number.

    Returns:
        "OK", "ALARM" or, before the first data, "INSUFFICIENT_DATA".

    Source:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html ("How alarm state
        is evaluated when data is missing")
    """
    wanted: int = alarm["EvaluationPeriods"]
    assert alarm.get("DatapointsToAlarm", wanted) == wanted
    breaches = BREACHES[alarm["ComparisonOperator"]]
    retrieved = [points[period] for period in range(now - wanted - looked_back + 1, now + 1) if period in points]
    breaching = [breaches(value, alarm["Threshold"]) for value in retrieved][-wanted:]
    missing = wanted - len(breaching)
    if missing and alarm["TreatMissingData"] == "ignore" and not breaching:
        return before
    filled = {"breaching": [True], "notBreaching": [False], "ignore": []}[alarm["TreatMissingData"]] * missing
    return "ALARM" if all([*breaching, *filled]) else "OK"


def states(alarm: Mapping[str, Any], points: Mapping[int, float], periods: int, *, looked_back: int = 0) -> list[str]:
    """Return the alarm's state after each period, from its creation at period 0 on."""
    state, found = "INSUFFICIENT_DATA", []
    for now in range(periods):
        state = state_after(alarm, points, now, state, looked_back=looked_back)
        found.append(state)
    return found
