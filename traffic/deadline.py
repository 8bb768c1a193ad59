"""How long a run may take: 20 hours from its start or, once it is redriven, from its last redrive. Pure."""

from datetime import timedelta

from traffic.clock import from_text, to_text
from traffic.contract import Redriven, Run

LONGEST_RUN = timedelta(hours=20)  # what is not captured by then is reported; the next day's run comes after 24


def extended(run: Run, *executions: Redriven) -> Run:
    """Return a run with the latest deadline of its own and those that redrives give it.

    A redriven state gets the input that it had the first time, so the run's own deadline may be long past.

    Args:
        run: The run.
        executions: The executions that a call is a part of: the run's own, a child's.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html (same input)
        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html (RedriveTime is there only
        in a redriven execution)
    """
    given = [from_text(each["RedriveTime"]) + LONGEST_RUN for each in executions if "RedriveTime" in each]
    if "deadline" not in run or not given:
        return run
    return {**run, "deadline": to_text(max(from_text(run["deadline"]), *given))}
