from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.outputs import output

# Fixed names: a workgroup must have one, and an account and region has room for one stack anyway.
DATABASE = "github_traffic_capture"
WORKGROUP = "github-traffic-capture"

# No archive is older than this system. For each day from here on, Athena lists a folder with every query.
FIRST_DAY = "2026-01-01"

# A query that reads more is stopped: it would cost more than $5.
MOST_BYTES = 10**12

ANSWERS = {
    "run": "string",
    "repo_id": "bigint",
    "repo": "string",
    "endpoint": "string",
    "captured_at": "string",
    "status": "int",
    "headers": "map<string,string>",
    "body": "string",
    "outcome": "string",
}
IMPORTS = {
    "source": "string",
    "files": "array<string>",
    "repo_id": "bigint",
    "repo": "string",
    "imported_at": "string",
    "new": "boolean",
    # Objects of JSON, which the format returns as their text.
    "days": "string",
    "snapshots": "string",
}
RUN_FILES = {
    "run": "struct<id:string,started:string>",
    "outcome": "string",
    "error": "string",
    "subject": "string",
}


class Queries(Construct):
    """Lets Athena read the archive: tables over its folders, and a workgroup that keeps results for a day.

    Nothing crawls the archive, and nothing costs anything until somebody asks: the partitions are computed from the
    names of the folders.

    Sources:
        https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html
        https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
    """

    def __init__(self, scope: Construct, id_: str, *, archive: s3.IBucket) -> None:
        super().__init__(scope, id_)
        self._archive = archive
        self._catalog = Stack.of(self).account
        self._database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self._catalog,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=DATABASE, description="The archive of GitHub's traffic, for `traffic sql --aws`."
            ),
        )
        self._table("Answers", "answers", "answers/", ANSWERS, day="capture_date")
        self._table("Imports", "imports", "imports/", IMPORTS, day="import_date")
        self._table("RunFiles", "run_files", "runs/", RUN_FILES)
        workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=WORKGROUP,
            description="Questions about GitHub's traffic. Results are deleted after a day.",
            recursive_delete_option=True,  # otherwise somebody's saved query would keep the stack from being deleted
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                bytes_scanned_cutoff_per_query=MOST_BYTES,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{archive.bucket_name}/queries/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )
        output(self, "QueryDatabase", self._database.ref, "The database of the archive's tables, for Athena.")
        output(self, "QueryWorkgroup", workgroup.ref, "The workgroup for Athena: results are deleted after a day.")

    def _table(self, id_: str, name: str, folder: str, columns: dict[str, str], *, day: str | None = None) -> None:
        """Define a table over a folder of JSON Lines, with a partition for each day if the folder has them."""
        location = f"s3://{self._archive.bucket_name}/{folder}"
        glue.CfnTable(
            self,
            id_,
            catalog_id=self._catalog,
            database_name=self._database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "json", **(_projection(day, location) if day else {})},
                partition_keys=[glue.CfnTable.ColumnProperty(name=day, type="string")] if day else None,
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=location,
                    columns=[glue.CfnTable.ColumnProperty(name=key, type=type_) for key, type_ in columns.items()],
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe",
                        # Below runs/ there are also lists: they become empty rows, which the view leaves out.
                        parameters={"ignore.malformed.json": "true"} if day is None else {},
                    ),
                ),
            ),
        )


def _projection(day: str, location: str) -> dict[str, str]:
    """Return the properties that make a partition of each day until tomorrow, which has begun somewhere."""
    return {
        "projection.enabled": "true",
        f"projection.{day}.type": "date",
        f"projection.{day}.format": "yyyy-MM-dd",
        f"projection.{day}.range": f"{FIRST_DAY},NOW+1DAYS",
        f"projection.{day}.interval": "1",
        f"projection.{day}.interval.unit": "DAYS",
        "storage.location.template": f"{location}{day}=${{{day}}}/",
    }
