from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

# lambdas/shared/embedded_metrics.py and lambdas/summarize_run/run_metrics.py write these names to the functions' logs.
NAMESPACE = "GitHubTrafficCapture"
OF_RUN = "summarize_run"
OF_GITHUB = "github"


def run_metric(name: str, *, statistic: str, period: Duration) -> cloudwatch.Metric:
    """Return a number that Summarize run writes once a run."""
    return _metric(name, OF_RUN, statistic, period)


def github_metric(name: str, *, statistic: str, period: Duration) -> cloudwatch.Metric:
    """Return a number that each function that asks GitHub writes once a call of the function."""
    return _metric(name, OF_GITHUB, statistic, period)


def _metric(name: str, service: str, statistic: str, period: Duration) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service},
        statistic=statistic,
        period=period,
    )
