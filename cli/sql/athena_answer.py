"""Answers a question in AWS: Athena, on the archive."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from cli.export_formats import Cell
from cli.sql.answer import SqlAnswer, column_types, refused
from cli.sql.athena_text import athena_text
from cli.sql.question import Question
from cli.stack.deployment import Deployment
from cli.terminal import CommandError, duration, progress

LOOK_EVERY = (0.3, 0.5, 1.0, 2.0)  # seconds between two looks; the last one from then on
LINE_EVERY = 5.0  # seconds between two lines of progress

ROWS_AT_ONCE = 1000  # Athena's limit for a page of results

# In us-east-1. Athena rounds up to a megabyte, and charges for at least ten.
# Source: https://aws.amazon.com/athena/pricing/
DOLLARS_A_TERABYTE = 5.0
TERABYTE, MEGABYTE, LEAST = 1024**4, 1024**2, 10

OF_THE_QUESTION = 2  # Athena's category of errors that the question has
# Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html

READ: Mapping[str, tuple[str, Callable[[str], Cell]]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint"), ("BIGINT", int)),
    **dict.fromkeys(("float", "real", "double", "decimal"), ("DOUBLE", float)),
    "boolean": ("BOOLEAN", lambda text: text == "true"),
    "date": ("DATE", str),
}
AS_TEXT: tuple[str, Callable[[str], Cell]] = ("VARCHAR", str)


@contextmanager
def answer_in_aws(deployment: Deployment, question: Question) -> Iterator[SqlAnswer]:
    """Answer a question from the archive. An interruption stops the query.

    Raises:
        UsageError: Athena refuses the question.
        CommandError: The query failed, or somebody cancelled it.
    """
    athena = deployment.client("athena")
    query = _start(athena, deployment, athena_text(question))
    try:
        status = _wait(athena, query)
    except BaseException:
        athena.stop_query_execution(QueryExecutionId=query)
        raise
    state, statistics = status["Status"], status.get("Statistics", {})
    read = statistics.get("DataScannedInBytes", 0)
    if state["State"] != "SUCCEEDED":
        raise _failure(state)
    seconds = statistics.get("TotalExecutionTimeInMillis", 0) / 1000
    progress(f"Athena read {read / 1e6:,.1f} MB in {duration(seconds)}, for about ${price(read):.5f}.")
    yield _results(athena, query)


def price(read: int) -> float:
    """Return the dollars that Athena charges for reading so many bytes."""
    megabytes = max(-(-read // MEGABYTE), LEAST) if read else 0
    return megabytes * MEGABYTE / TERABYTE * DOLLARS_A_TERABYTE


def _start(athena: Any, deployment: Deployment, text: str) -> str:
    context = {"Database": deployment.output("QueryDatabase")}
    workgroup = deployment.output("QueryWorkgroup")
    try:
        started = athena.start_query_execution(QueryString=text, QueryExecutionContext=context, WorkGroup=workgroup)
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "InvalidRequestException":
            raise
        raise _refused(exc.response["Error"]["Message"]) from exc
    return str(started["QueryExecutionId"])


def _wait(athena: Any, query: str) -> Mapping[str, Any]:
    """Wait until a query has ended, and print what it has read so far."""
    begun = printed = time.monotonic()
    pauses = iter(LOOK_EVERY)
    while True:
        execution: Mapping[str, Any] = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return execution
        now = time.monotonic()
        if now - printed >= LINE_EVERY:
            read = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
            progress(f"Waiting for Athena since {duration(now - begun)}: {read / 1e6:,.1f} MB read.")
            printed = now
        time.sleep(next(pauses, LOOK_EVERY[-1]))


def _failure(status: Mapping[str, Any]) -> Exception:
    reason = str(status.get("StateChangeReason", "no reason is known"))
    if status["State"] == "FAILED" and status.get("AthenaError", {}).get("ErrorCategory") == OF_THE_QUESTION:
        return _refused(reason)
    return CommandError(f"Athena ended the query as {status['State']}: {reason.rstrip('.')}.")


def _refused(reason: str) -> Exception:
    """Return Athena's error without its code, and without its place: the views stand before the question."""
    text = re.sub(r"^(\w+: )?(line \d+:\d+: )?", "", " ".join(reason.split()))
    unknown = re.match(r"Column '([^']*)' cannot be resolved", text)
    return refused(unknown[0] if unknown else text, unknown and unknown[1].rpartition(".")[2])


def _results(athena: Any, query: str) -> SqlAnswer:
    """Read the results page by page; the first row of the first page has the names of the columns."""
    pages = athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=query, PaginationConfig={"PageSize": ROWS_AT_ONCE}
    )
    sets = (page["ResultSet"] for page in pages)
    first = next(sets)
    columns = [(each["Name"], READ.get(each["Type"], AS_TEXT)) for each in first["ResultSetMetadata"]["ColumnInfo"]]
    types = column_types([(name, type_) for name, (type_, _) in columns])
    readers = [reader for _, (_, reader) in columns]

    def rows() -> Iterator[Sequence[Cell]]:
        yield from (_row(row, readers) for row in first["Rows"][1:])
        for found in sets:
            yield from (_row(row, readers) for row in found["Rows"])

    return SqlAnswer(types, rows())


def _row(row: Mapping[str, Any], readers: Sequence[Callable[[str], Cell]]) -> Sequence[Cell]:
    cells = (each.get("VarCharValue") for each in row["Data"])
    return [None if cell is None else read(cell) for cell, read in zip(cells, readers, strict=True)]
