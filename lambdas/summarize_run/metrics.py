"""The numbers that the alarms watch, in CloudWatch's embedded metric format on the function's log.

Source:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Sequence

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from lambdas.shared.answers import CAPTURED
from lambdas.summarize_run.outcome import Result
from lambdas.summarize_run.watch import Watch

NAMESPACE = "GitHubTrafficCapture"  # with the dimension `service`; the stack's alarms name both
SERVICE = "summarize_run"


def publish(results: Sequence[Result], seen: Watch) -> None:
    """Write what a run captured, and how near the deadlines are; what is not known is not written."""
    captured = sum(result.outcome == CAPTURED for result in results)
    # Ephemeral: each call writes its own numbers, also where tests or a warm function call twice.
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
    numbers = {
        "Captured": captured,
        "Failed": len(results) - captured,
        "NewestDayAgeDays": seen.newest_day_age,
        "TokenDaysLeft": seen.token_days_left,
    }
    for name, value in numbers.items():
        if value is not None:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()
