"""How a question is asked in AWS: waiting, prices, pages, errors and Ctrl-C, on an imitation of Athena's answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from cli.export_formats import Cell
from cli.sql import athena_answer
from cli.sql.athena_answer import answer_in_aws, price
from cli.sql.question import read_question
from cli.stack.deployment import Deployment
from cli.terminal import CommandError, UsageError

DATABASE, WORKGROUP, QUERY = "github_traffic_capture", "github-traffic-capture", "0a6e"
OUTPUTS = {"QueryDatabase": DATABASE, "QueryWorkgroup": WORKGROUP}

COLUMNS = [("repo_id", "bigint"), ("name", "varchar"), ("share", "double"), ("whole", "boolean"), ("day", "date")]


@dataclass
class Athena:
    """Athena's client with answers as AWS documents them.

    Attributes:
        client: The client.
        stub: What it expects and answers.
    """

    client: Any = field(default_factory=lambda: boto3.client("athena", region_name="eu-central-1"))
    stub: Stubber = field(init=False)

    def __post_init__(self) -> None:
        self.stub = Stubber(self.client)

    def started(self, text: str) -> None:
        """Expect the start of a query in the stack's workgroup."""
        expected = {
            "QueryString": text,
            "QueryExecutionContext": {"Database": DATABASE},
            "WorkGroup": WORKGROUP,
        }
        self.stub.add_response("start_query_execution", {"QueryExecutionId": QUERY}, expected)

    def looked(self, state: str, read: int = 0, **more: Any) -> None:
        """Expect a look at the query."""
        found = {
            "QueryExecutionId": QUERY,
            "Status": {"State": state, **more},
            "Statistics": {"DataScannedInBytes": read, "TotalExecutionTimeInMillis": 2500},
        }
        self.stub.add_response("get_query_execution", {"QueryExecution": found}, {"QueryExecutionId": QUERY})

    def page(self, *rows: tuple[str | None, ...], token: str = "", after: str = "") -> None:
        """Expect the request of a page of results."""
        answer = {
            "ResultSet": {
                "Rows": [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": [{"Name": name, "Type": type_} for name, type_ in COLUMNS]},
            },
            **({"NextToken": token} if token else {}),
        }
        asked = {"QueryExecutionId": QUERY, "MaxResults": 1000, **({"NextToken": after} if after else {})}
        self.stub.add_response("get_query_results", answer, asked)

    def ask(self, text: str) -> tuple[Mapping[str, str], list[Sequence[Cell]]]:
        """Ask a question of a stack with this client, and return the columns and rows of the answer."""
        deployment = Deployment(outputs=OUTPUTS, client=lambda _name: self.client, place="AWS", parameters={})
        with answer_in_aws(deployment, read_question(text, "athena")) as answer:
            return answer.columns, list(answer.rows)


@pytest.fixture
def athena(monkeypatch: pytest.MonkeyPatch) -> Iterator[Athena]:
    """Athena, whose expected calls are all made at the end."""
    monkeypatch.setattr(athena_answer, "LOOK_EVERY", (0.0,))
    monkeypatch.setattr(athena_answer, "LINE_EVERY", 0.0)
    found = Athena()
    with found.stub:
        yield found
        found.stub.assert_no_pending_responses()


def test_the_answer_is_waited_for_and_read_page_by_page(athena: Athena, capsys: pytest.CaptureFixture[str]) -> None:
    """Athena answers at most 1000 rows at once, as texts; a cell without a text is unknown."""
    athena.started("SELECT 1")
    athena.looked("QUEUED")
    athena.looked("RUNNING", 4_000_000)
    athena.looked("SUCCEEDED", 34_000_000)
    athena.page(
        ("repo_id", "name", "share", "whole", "day"), ("7", "octo/docs", "0.5", "true", "2026-11-20"), token="2"
    )
    athena.page((None, None, None, "false", None), after="2")

    columns, rows = athena.ask("SELECT 1")

    assert list(columns.values()) == ["BIGINT", "VARCHAR", "DOUBLE", "BOOLEAN", "DATE"]
    assert rows == [[7, "octo/docs", 0.5, True, "2026-11-20"], [None, None, None, False, None]]
    waited = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[2] for line in waited[:2]] == [" 0.0 MB read.", " 4.0 MB read."]
    assert waited[2] == "Athena read 34.0 MB in 2.5s, for about $0.00016."


@pytest.mark.parametrize(
    ("read", "dollars"), [(0, 0.0), (1, 5e1 / 1024**2), (11 * 1024**2, 5.5e1 / 1024**2), (1024**4, 5.0)]
)
def test_the_price_is_that_of_at_least_ten_megabytes(read: int, dollars: float) -> None:
    """A question about nothing reads nothing, and costs nothing.

    Source:
        https://aws.amazon.com/athena/pricing/
    """
    assert price(read) == pytest.approx(dollars)


def test_an_interruption_stops_the_query(athena: Athena, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it goes on reading, which is paid for."""

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.sql.athena_answer.time.sleep", interrupted)
    athena.started("SELECT 1")
    athena.looked("RUNNING")
    athena.stub.add_response("stop_query_execution", {}, {"QueryExecutionId": QUERY})

    with pytest.raises(KeyboardInterrupt):
        athena.ask("SELECT 1")


def test_an_unknown_column_is_reported_with_the_one_that_was_meant(athena: Athena) -> None:
    """Athena's place of the error counts the lines of the views, which nobody typed."""
    reason = (
        "COLUMN_NOT_FOUND: line 164:8: Column 'view_count' cannot be resolved or requester is not authorized to access"
        " requested resources"
    )
    athena.started("SELECT 1")
    athena.looked("FAILED", StateChangeReason=reason, AthenaError={"ErrorCategory": 2, "ErrorType": 1006})

    with pytest.raises(UsageError) as raised:
        athena.ask("SELECT 1")

    assert str(raised.value) == "Column 'view_count' cannot be resolved: did you mean views_count?"


def test_a_question_that_athena_cannot_parse_is_a_wrong_use(athena: Athena) -> None:
    """Athena refuses it before it starts."""
    athena.stub.add_client_error(
        "start_query_execution", "InvalidRequestException", "line 3:8: mismatched input 'BY'. Expecting: ','"
    )

    with pytest.raises(UsageError, match=r"^mismatched input 'BY'. Expecting: ','.$"):
        athena.ask("SELECT 1")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (
            {"state": "FAILED", "StateChangeReason": "Access denied when writing", "AthenaError": {"ErrorCategory": 1}},
            "Athena ended the query as FAILED: Access denied when writing.",
        ),
        (
            {"state": "CANCELLED", "StateChangeReason": "Bytes scanned limit was exceeded"},
            "Athena ended the query as CANCELLED: Bytes scanned limit was exceeded.",
        ),
        ({"state": "CANCELLED"}, "Athena ended the query as CANCELLED: no reason is known."),
    ],
)
def test_a_query_that_fails_for_another_reason_is_a_failure(
    athena: Athena, status: Mapping[str, Any], error: str
) -> None:
    """The question is right then, and may be asked again."""
    athena.started("SELECT 1")
    athena.looked(**status)

    with pytest.raises(CommandError) as raised:
        athena.ask("SELECT 1")

    assert str(raised.value) == error


def test_a_refused_right_is_not_taken_for_a_wrong_question(athena: Athena) -> None:
    """The command reports which right is missing."""
    athena.stub.add_client_error("start_query_execution", "AccessDeniedException", "not authorized")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        athena.ask("SELECT 1")


def test_a_stack_of_an_earlier_version_is_named_as_the_reason() -> None:
    """It has no workgroup."""
    deployment = Deployment(outputs={}, client=lambda _name: None, place="AWS region eu-central-1", parameters={})

    with (
        pytest.raises(CommandError, match="deploy this version of the stack"),
        answer_in_aws(deployment, read_question("SELECT 1", "athena")),
    ):
        pass
