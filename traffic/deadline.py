"""Until when a run goes on. Pure."""

from datetime import timedelta

from traffic.clock import from_text, to_text
from traffic.contract import Redriven, Run

LONGEST_RUN = timedelta(hours=20)  # the next day's run starts after 24


def extended(run: Run, *executions: Redriven) -> Run:
    """Return a run with the latest deadline: its own, or 20 hours after a redrive.

    A redriven state gets the input that it had the first time, so the run's own deadline may be long past.

    Args:
        run: The run.
        executions: The executions that a call belongs to: that of the run, that of a child.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html (same input)
        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html (RedriveTime is there only
        in a redriven execution)
    """
    given = [from_text(each["RedriveTime"]) + LONGEST_RUN for each in executions if "RedriveTime" in each]
    if "deadline" not in run or not given:
        return run
    return {**run, "deadline": to_text(max(from_text(run["deadline"]), *given))}
