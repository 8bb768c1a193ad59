from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.console import console
from stacks.log_metrics import github_metric, run_metric
from stacks.outputs import output

SHOWN = Duration.days(28)  # twice as long as GitHub keeps days, so that lost days are visible, too
DAY = Duration.days(1)  # there is a run a day, so a point a day
COLUMNS = 24  # of CloudWatch's grid
HEIGHT = 6  # grid units


class Dashboard(Construct):
    """Shows at a glance whether all is well, and since when not.

    From top to bottom: alarms, the result of each day's run, the token and GitHub's limits, durations and errors,
    subscriptions, and the warnings of the functions. If a day has several runs, the graphs show the worst one.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alarms: Mapping[str, cloudwatch.Alarm],
        state_machine: sfn.StateMachine,
        functions: Mapping[str, lambda_.Function],
    ) -> None:
        super().__init__(scope, id_)
        dashboard = cloudwatch.Dashboard(
            self,
            "GitHubTraffic",
            default_interval=SHOWN,
            widgets=[
                [_healthy(list(alarms.values()))],
                [_runs(state_machine), _captured(), _newest_day(alarms["GitHubLate"])],
                [_token(), _budget(), _waits()],
                [_duration(state_machine), _function_errors(functions), _dead_letters(alarms["DeadLetters"])],
                [_subscriptions()],
                [_problems(functions)],
            ],
        )
        link = f"{console(self)}/cloudwatch/home?region={Aws.REGION}#dashboards/dashboard/"
        output(
            self, "DashboardUrl", f"{link}{dashboard.dashboard_name}", "The dashboard: is all well, and since when not?"
        )


def _healthy(alarms: Sequence[cloudwatch.Alarm]) -> cloudwatch.IWidget:
    return cloudwatch.AlarmStatusWidget(
        title="All is well if everything is green; the history of an alarm shows since when it is not",
        alarms=alarms,
        width=COLUMNS,
        height=3,
    )


def _runs(state_machine: sfn.StateMachine) -> cloudwatch.IWidget:
    return _graph(
        "Runs a day",
        state_machine.metric_succeeded(period=DAY, label="succeeded", color=cloudwatch.Color.GREEN),
        state_machine.metric_failed(period=DAY, label="failed", color=cloudwatch.Color.RED),
        state_machine.metric_timed_out(period=DAY, label="timed out", color=cloudwatch.Color.ORANGE),
        state_machine.metric_aborted(period=DAY, label="aborted", color=cloudwatch.Color.GREY),
    )


def _captured() -> cloudwatch.IWidget:
    return _graph(
        "Repositories",
        run_metric("Captured", statistic="Minimum", period=DAY),
        run_metric("Failed", statistic="Maximum", period=DAY),
    )


def _newest_day(late: cloudwatch.Alarm) -> cloudwatch.IWidget:
    return _graph(
        "Days since the newest day GitHub reported",
        run_metric("NewestDayAgeDays", statistic="Maximum", period=DAY),
        left_annotations=[late.to_annotation()],
    )


def _token() -> cloudwatch.IWidget:
    return _graph(
        "Days until the token expires; no line if it never expires",
        run_metric("TokenDaysLeft", statistic="Minimum", period=DAY),
    )


def _budget() -> cloudwatch.IWidget:
    return _graph(
        "Calls to GitHub a day, and the smallest number of calls left in an hour's limit",
        github_metric("GitHubCalls", statistic="Sum", period=DAY),
        github_metric("RemainingBudget", statistic="Minimum", period=DAY),
    )


def _waits() -> cloudwatch.IWidget:
    return _graph(
        "Longest wait for GitHub's limit (seconds); no line if no run waited",
        github_metric("WaitedSeconds", statistic="Maximum", period=DAY),
    )


def _duration(state_machine: sfn.StateMachine) -> cloudwatch.IWidget:
    return _graph("Longest run (milliseconds)", state_machine.metric_time(period=DAY, statistic="Maximum"))


def _function_errors(functions: Mapping[str, lambda_.Function]) -> cloudwatch.IWidget:
    errors = (function.metric_errors(period=DAY, label=name) for name, function in functions.items())
    return _graph("Errors of the functions, including retried ones", *errors)


def _dead_letters(alarm: cloudwatch.Alarm) -> cloudwatch.IWidget:
    return cloudwatch.AlarmWidget(
        title="Events that EventBridge could not deliver", alarm=alarm, width=COLUMNS // 3, height=HEIGHT
    )


def _subscriptions() -> cloudwatch.IWidget:
    return _graph(
        "Confirmed e-mail subscriptions; below the line nobody gets mail",
        run_metric("EmailSubscriptions", statistic="Minimum", period=DAY),
        left_annotations=[cloudwatch.HorizontalAnnotation(value=1)],
    )


def _problems(functions: Mapping[str, lambda_.Function]) -> cloudwatch.IWidget:
    """Return the warnings of the functions; a click leads to CloudWatch Logs Insights."""
    return cloudwatch.LogQueryWidget(
        title="Repositories that failed or were refused, newest first",
        log_group_names=[function.log_group.log_group_name for function in functions.values()],
        query_lines=[
            "fields @timestamp, run, state, repository, outcome, endpoint, status, message",
            "filter level in ['WARNING', 'ERROR', 'CRITICAL']",
            "sort @timestamp desc",
            "limit 100",
        ],
        width=COLUMNS,
        height=HEIGHT,
    )


def _graph(
    title: str,
    *metrics: cloudwatch.IMetric,
    left_annotations: Sequence[cloudwatch.HorizontalAnnotation] = (),
) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        left_annotations=list(left_annotations),
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        period=DAY,
        width=COLUMNS // 3,
        height=HEIGHT,
    )
