"""Where to look further: the execution in the console, and the command that makes the report. Pure."""


def links(execution_arn: str | None, *, console: str | None) -> list[str]:
    """Write the links.

    Args:
        execution_arn: The execution's; None where the run does not know it.
        console: The address of AWS's console in the region of the run; None on a laptop, where there is none.
    """
    report = f"Charts and all history: traffic report{' --aws' if console else ''}"
    if console is None or execution_arn is None:
        return [report]
    region = execution_arn.split(":")[3]
    return [f"{console}/states/home?region={region}#/v2/executions/details/{execution_arn}", report]
