"""Where to look further: the execution in the console, and the command that makes the report. Pure."""

# Source: https://docs.aws.amazon.com/general/latest/gr/endpoints-consoles.html (other partitions, other domains)
CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def links(execution_arn: str | None, *, console: bool) -> list[str]:
    """Write the links.

    Args:
        execution_arn: The execution's; None where the run does not know it.
        console: Whether there is a console; on a laptop there is none.
    """
    report = f"Charts and all history: traffic report{' --aws' if console else ''}"
    if not console or execution_arn is None:
        return [report]
    _, partition, _, region, *_ = execution_arn.split(":")
    host = CONSOLES.get(partition, f"{region}.console.aws.amazon.com")
    return [f"https://{host}/states/home?region={region}#/v2/executions/details/{execution_arn}", report]
