"""Athena and Glue on the local engine: what `traffic sql --aws` asks there is what it asks in AWS."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.sql.athena_text import athena_text
from cli.sql.question import read_question
from local.deploying import deploy
from local.engine import Engine, running_engine
from local.synthesis import synthesize
from tests.integration.pipeline import ASSEMBLY
from traffic.record.archive import Archive

LONGEST = 60.0  # seconds


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with the stack, one archived capture and one import."""
    with running_engine(tmp_path_factory.mktemp("athena") / "history") as running:
        outputs = deploy(running, synthesize(ASSEMBLY), {"GitHubAccessToken": "x"})
        archive = Archive(outputs["ArchiveBucket"], running.client("s3"))
        views = {"count": 3, "uniques": 2, "views": [{"timestamp": "2026-11-19T00:00:00Z", "count": 3, "uniques": 2}]}
        archive.put_answers(
            [
                {
                    "run": "run-1",
                    "repo_id": 7,
                    "repo": "octo/docs",
                    "endpoint": "views",
                    "captured_at": "2026-11-20T09:00:00Z",
                    "status": 200,
                    "headers": {"date": "Fri, 20 Nov 2026 09:00:00 GMT"},
                    "body": json.dumps(views),
                    "outcome": "captured",
                }
            ]
        )
        archive.put_import(
            {
                "source": "tool",
                "files": ["views.csv"],
                "repo_id": 7,
                "repo": "octo/docs",
                "imported_at": "2026-11-21T09:00:00Z",
                "new": False,
                "days": {"2024-01-01": {"clones-count": 4}},
                "snapshots": {},
            }
        )
        yield running


def ask(engine: Engine, text: str, client: Any = None) -> list[tuple[str | None, ...]]:
    """Ask Athena in the stack's workgroup, and return the rows of the answer."""
    client = client or engine.client("athena")
    query = client.start_query_execution(
        QueryString=text,
        QueryExecutionContext={"Database": "github_traffic_capture"},
        WorkGroup="github-traffic-capture",
    )["QueryExecutionId"]
    give_up = time.monotonic() + LONGEST
    while (status := status_of(client, query))["State"] in ("QUEUED", "RUNNING"):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert status["State"] == "SUCCEEDED", status
    _, *rows = client.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in rows]


def status_of(client: Any, query: str) -> Mapping[str, Any]:
    """Return the state of a query, and why it has it."""
    status: Mapping[str, Any] = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
    return status


def test_a_query_in_athenas_sql_is_answered(engine: Engine) -> None:
    """DuckDB has no `json_extract_scalar`; and a date in an answer must not keep the engine from saving."""
    assert ask(engine, "SELECT json_extract_scalar('{\"a\": 1}', '$.a'), DATE '2026-11-20'") == [("1", "2026-11-20")]
    engine.save()


def test_a_table_of_json_has_the_columns_of_its_definition(engine: Engine) -> None:
    """Guessed from its files, a time would be a timestamp, and an empty folder would have no columns."""
    assert ask(engine, "SELECT captured_at, element_at(headers, 'date'), capture_date FROM answers") == [
        ("2026-11-20T09:00:00Z", "Fri, 20 Nov 2026 09:00:00 GMT", "2026-11-20")
    ]
    ((days, path),) = ask(engine, 'SELECT days, "$path" FROM imports')
    assert json.loads(str(days)) == {"2024-01-01": {"clones-count": 4}}
    assert str(path).endswith(".jsonl.gz")
    assert ask(engine, "SELECT run.id FROM run_files WHERE \"$path\" LIKE '%/summary.json'") == []


def test_the_views_are_answered_from_the_archive(engine: Engine) -> None:
    """The deployed tables, and the text that the command sends."""
    question = read_question("SELECT day, views_count, clones_count FROM days ORDER BY day", "athena")

    assert ask(engine, athena_text(question)) == [("2024-01-01", None, "4"), ("2026-11-19", "3", None)]


def test_a_right_to_the_workgroup_is_a_right_to_its_queries(engine: Engine) -> None:
    """The documented policy names the workgroup alone, as it should: other queries of the account are not ours."""
    iam, allowed = engine.client("iam"), "arn:aws:athena:*:*:workgroup/github-traffic-capture"
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": "athena:*", "Resource": allowed}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="reader", PolicyDocument=document)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = boto3.client(
        "athena",
        endpoint_url=engine.url,
        region_name=engine.client("athena").meta.region_name,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )

    assert ask(engine, "SELECT 1", reader) == [("1",)]
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.start_query_execution(
            QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://elsewhere/"}, WorkGroup="primary"
        )


def test_a_second_deployment_keeps_tables_and_workgroup(engine: Engine) -> None:
    """`make run` deploys each time."""
    deploy(engine, synthesize(ASSEMBLY), {"GitHubAccessToken": "x"})

    tables = engine.client("glue").get_tables(DatabaseName="github_traffic_capture")["TableList"]
    assert sorted(table["Name"] for table in tables) == ["answers", "imports", "run_files"]
    assert ask(engine, "SELECT 1") == [("1",)]
