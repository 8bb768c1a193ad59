from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.bundling import RUNTIME, lambda_code
from stacks.console import console
from stacks.outputs import output
from stacks.parameters import Parameters
from stacks.reviewed import accept, wildcard
from stacks.storage import Storage

ANSWERS = "answers/*"
LISTINGS = "listings/*"
IMPORTS = "imports/*"
RUN_FILES = "runs/*"
RECEIPTS = "runs/*/receipts/*"

# The definition's tasks wait longer, so that a slow function does not run twice at once.
TIMEOUT = Duration.minutes(5)

# MB. Memory means processor time: 1,769 MB are one core. docs/benchmarks.md measures what each function needs.
MEMORY = {"ListRepos": 512, "FetchTraffic": 256, "StoreTraffic": 512, "SummarizeRun": 1024}


class Functions(Construct):
    """The four steps. Each has its own role, which allows only what the code of the step does."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        storage: Storage,
        token: secretsmanager.ISecret,
        parameters: Parameters,
    ) -> None:
        super().__init__(scope, id_)
        self._storage = storage
        self._code = lambda_code()
        self._parameters = parameters
        github = {"GITHUB_TOKEN_SECRET": token.secret_arn}
        tables = {
            "TRAFFIC_TABLE": storage.traffic.table_name,
            "REPOSITORIES_TABLE": storage.repositories.table_name,
        }
        read_token = _allow(["secretsmanager:GetSecretValue"], [token.secret_arn])
        self.list_repos = self._function(
            "ListRepos",
            environment={**github, "REPOSITORIES_TABLE": storage.repositories.table_name},
            allowed=[
                read_token,
                *self._run_files(),
                # A past date is replayed from the archive. This step itself wrote all it reads of a run.
                self._list(ANSWERS),
                self._objects("s3:PutObject", LISTINGS),
                # If the budget does not allow all repositories, their items decide which are due.
                _allow(["dynamodb:Scan"], [storage.repositories.table_arn]),
            ],
        )
        self.fetch_traffic = self._function(
            "FetchTraffic",
            environment=github,
            allowed=[
                read_token,
                *self._run_files(),
                self._list(RUN_FILES),
                self._objects("s3:PutObject", ANSWERS),
            ],
        )
        self.store_traffic = self._function(
            "StoreTraffic",
            environment={**tables, "SNAPSHOTS_TABLE": storage.snapshots.table_name},
            allowed=[
                self._objects("s3:GetObject", ANSWERS, IMPORTS),
                self._objects("s3:PutObject", RECEIPTS),
                _allow(["dynamodb:Query", "dynamodb:UpdateItem"], [storage.traffic.table_arn]),
                _allow(
                    ["dynamodb:BatchGetItem", "dynamodb:UpdateItem"],
                    [storage.repositories.table_arn, storage.snapshots.table_arn],
                ),
            ],
        )
        self.summarize_run = self._function(
            "SummarizeRun",
            environment={
                **tables,
                "SNAPSHOTS_TABLE": storage.snapshots.table_name,
                "CONSOLE_URL": console(self),
            },
            allowed=[
                *self._run_files(),
                self._list(RUN_FILES),
                # For what is usual it reads the days of a few repositories, never a complete table.
                _allow(["dynamodb:Query"], [storage.traffic.table_arn, storage.snapshots.table_arn]),
                # A repository that fell silent is in no list of the run.
                _allow(["dynamodb:Scan"], [storage.repositories.table_arn]),
            ],
        )
        output(
            self,
            "StoreTrafficFunction",
            self.store_traffic.function_name,
            "Stores an archive object in the tables. Storing one again changes nothing.",
        )

    @property
    def by_name(self) -> Mapping[str, lambda_.Function]:
        """The functions, by the names at the beginning of the definition's placeholders."""
        return {
            "ListRepos": self.list_repos,
            "FetchTraffic": self.fetch_traffic,
            "StoreTraffic": self.store_traffic,
            "SummarizeRun": self.summarize_run,
        }

    def _function(
        self, name: str, *, environment: Mapping[str, str], allowed: Sequence[iam.PolicyStatement]
    ) -> lambda_.Function:
        folder = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        log_group = logs.LogGroup(
            self, f"{name}Log", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        role = iam.Role(self, f"{name}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        for statement in allowed:
            role.add_to_policy(statement)
        self._accept_wildcards(role)
        function = lambda_.Function(
            self,
            name,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            code=self._code,
            handler=f"lambdas.{folder}.handler.lambda_handler",
            memory_size=MEMORY[name],
            timeout=TIMEOUT,
            tracing=lambda_.Tracing.ACTIVE,
            role=role,
            log_group=log_group,
            environment={
                "ARCHIVE_BUCKET": self._storage.archive.bucket_name,
                "POWERTOOLS_SERVICE_NAME": folder,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **environment,
                **self._parameters.environment(name),
            },
        )
        accept(function, "L1", reason="AWS supports and patches 3.13; a release moves to a newer one after tests.")
        return function

    def _accept_wildcards(self, role: iam.Role) -> None:
        accept(role, "IAM5[Resource::*]", reason="X-Ray's PutTraceSegments and PutTelemetryRecords take no resource.")
        archive = self._storage.archive
        accept(
            role,
            *(
                f"IAM5[Resource::{wildcard(archive, 'Arn', f'/{objects}')}]"
                for objects in (RUN_FILES, ANSWERS, LISTINGS, IMPORTS, RECEIPTS)
            ),
            reason="Keys are made at run time; each role is limited to the folders of the one bucket that it works in.",
        )

    def _run_files(self) -> list[iam.PolicyStatement]:
        """Return the statements that allow reading and writing the files of a run."""
        return [self._objects("s3:GetObject", RUN_FILES), self._objects("s3:PutObject", RUN_FILES)]

    def _objects(self, action: str, *patterns: str) -> iam.PolicyStatement:
        return _allow([action], [self._storage.archive.arn_for_objects(pattern) for pattern in patterns])

    def _list(self, pattern: str) -> iam.PolicyStatement:
        """Return the statement that allows listing a prefix. Without it S3 answers 403 for a missing key, not 404.

        Source:
            https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
        """
        statement = _allow(["s3:ListBucket"], [self._storage.archive.bucket_arn])
        # IfExists: S3 checks this right for a missing key of GetObject as well, and that request has no s3:prefix.
        statement.add_condition("StringLikeIfExists", {"s3:prefix": pattern})
        return statement


def _allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
