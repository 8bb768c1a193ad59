"""Cures of ministack's Athena: Athena's SQL, tables of JSON as they are defined, and the rights to a query."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core import iam_actions
from ministack.services import athena

Table = Mapping[str, Any]  # as Glue describes it


def understand_athena_sql() -> None:
    """Run queries in Athena's own SQL, and keep their results as texts.

    ministack: hands a query to DuckDB as it is, which has other functions and types. It keeps dates as Python has them,
    and then cannot save its state.
    AWS: Athena's SQL is that of Trino. Results are texts.

    Source:
        https://docs.aws.amazon.com/athena/latest/ug/engine-versions-reference-0003.html
    """
    run = athena._run_duckdb

    @functools.wraps(run)
    async def run_translated(query: str, *given: Any) -> Any:
        import sqlglot  # noqa: PLC0415 - the engine should not start later because of it

        found = await run(";".join(sqlglot.transpile(query, read="athena", write="duckdb")), *given)
        return {**found, "rows": [[_saved(cell) for cell in row] for row in found["rows"]]}

    athena._run_duckdb = run_translated


def read_tables_of_json() -> None:
    """Read a table of JSON Lines with its columns, and with the hidden column `$path`.

    ministack: guesses the columns and their types from the files, so a time becomes a timestamp.
    AWS: has the table's columns, with the types of the table, and the hidden column. An object in a column of texts
    is its JSON.

    Source:
        https://docs.aws.amazon.com/athena/latest/ug/querying-getting-the-file-location.html
        https://github.com/trinodb/trino (lib/trino-hive-formats, openxjson/README.md)
    """
    relation, empty = athena._table_relation, athena._empty_relation

    @functools.wraps(relation)
    def table_relation(table: Table, files: Sequence[str]) -> str:
        if athena._data_format(table) != "json":
            return str(relation(table, files))
        storage = table["StorageDescriptor"]
        types = ", ".join(f"'{column['Name']}': '{_type(column)}'" for column in storage["Columns"])
        lenient = storage["SerdeInfo"].get("Parameters", {}).get("ignore.malformed.json", "false")
        partitions = athena._hive_options(athena._path_partition_keys(table, files))
        options = f"format = 'newline_delimited', filename = true, ignore_errors = {lenient}, {partitions}"
        reader = f"read_json({athena._sql_list(files)}, columns = {{{types}}}, {options})"
        return f'(SELECT * EXCLUDE (filename), filename AS "$path" FROM {reader})'  # noqa: S608 - names of Glue's tables

    @functools.wraps(empty)
    def empty_relation(table: Table) -> str:
        if athena._data_format(table) != "json":
            return str(empty(table))
        columns = [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", ())]
        columns.append({"Name": "$path", "Type": "string"})
        cells = ", ".join(f'CAST(NULL AS {_type(column)}) AS "{column["Name"]}"' for column in columns)
        return f"(SELECT {cells} WHERE false)"

    athena._table_relation, athena._empty_relation = table_relation, empty_relation


def name_the_workgroup_of_a_query() -> None:
    """Check a policy for a query's workgroup also if a request names only the query.

    ministack: takes every query for the resource `*`, so a right to one workgroup allows to start a query, but not to
    wait for it.
    AWS: the resource is the workgroup.

    Source:
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
    """
    extract = iam_actions.extract_resource_arn

    @functools.wraps(extract)
    def extract_workgroup(service: str, *given: Any) -> Any:
        found, body, region, account = extract(service, *given), given[3], given[5], given[6]
        if service != "athena" or found != "*" or b"QueryExecutionId" not in body:
            return found
        query = athena._executions.get_scoped(account, region, json.loads(body)["QueryExecutionId"]) or {}
        return f"arn:aws:athena:{region}:{account}:workgroup/{query.get('WorkGroup', '*')}"

    iam_actions.extract_resource_arn = extract_workgroup


def _saved(cell: object) -> object:
    return cell if cell is None or isinstance(cell, bool | int | float) else str(cell)


def _type(column: Mapping[str, str]) -> str:
    """Return DuckDB's name of a type that Glue calls `map<string,string>`, for example."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    return exp.DataType.build(column["Type"], dialect="hive").sql(dialect="duckdb")
