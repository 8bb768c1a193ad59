from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.first_version import TRAFFIC_TABLE, keep_logical_id
from stacks.outputs import output
from stacks.reviewed import accept

# 90 days after its end, another execution may have the same name. By then the files of the first one must be gone, or
# its receipts would count for the new one. The record itself never expires.
# Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (name)
RUN_FILES_KEPT = Duration.days(80)

RESULTS_KEPT = Duration.days(1)  # of Athena: who wants to keep one writes it to a file


class Storage(Construct):
    """The history: three tables, and the archive of GitHub's answers.

    Tables and archive outlive the stack, and a later deployment adopts them: they have fixed names, and are retained on
    delete and replacement. They use no key of our own: a lost key would lose the history.

    Only `RepoTraffic` uses AWS's managed key, as in the first version: CloudFormation has refused to drop
    `SSESpecification` from a table. Roles need no right to that key: its policy admits everyone who may use the table.

    Sources:
        https://github.com/aws/aws-cdk/pull/8450
        https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html (key policy of the managed key)
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.traffic = self._table(
            "TrafficTable",
            "RepoTraffic",
            "repo-name",
            sort_key="timestamp",
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
        )
        keep_logical_id(self.traffic, TRAFFIC_TABLE)
        self.repositories = self._table("RepositoriesTable", "RepoTrafficRepositories", "repo-id")
        # A separate table, so that reading days does not also read lists of paths.
        self.snapshots = self._table("SnapshotsTable", "RepoTrafficSnapshots", "repo-id", sort_key="captured-on")
        self.archive = self._archive()
        output(self, "TrafficTable", self.traffic.table_name, "Views and clones: an item for each repository and day.")
        output(self, "RepositoriesTable", self.repositories.table_name, "The repositories, with all their names.")
        output(self, "SnapshotsTable", self.snapshots.table_name, "Referrers, paths and 14-day totals, by capture.")
        output(self, "ArchiveBucket", self.archive.bucket_name, "GitHub's unchanged answers.")

    def _table(
        self,
        id_: str,
        name: str,
        partition_key: str,
        *,
        sort_key: str | None = None,
        encryption: dynamodb.TableEncryption | None = None,
    ) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            id_,
            table_name=name,
            partition_key=_text(partition_key),
            sort_key=_text(sort_key) if sort_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=encryption,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _archive(self) -> s3.Bucket:
        stack = Stack.of(self)
        bucket = s3.Bucket(
            self,
            "Archive",
            bucket_name=f"github-traffic-archive-{stack.account}-{stack.region}",
            # Keys end in their content's SHA-256, so the system never changes an object. Versions undo mistakes.
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ForgetHowRunsWent",
                    prefix="runs/",
                    expiration=RUN_FILES_KEPT,
                    noncurrent_version_expiration=Duration.days(30),
                ),
                s3.LifecycleRule(
                    id="ForgetResultsOfQueries",
                    prefix="queries/",
                    expiration=RESULTS_KEPT,
                    noncurrent_version_expiration=RESULTS_KEPT,
                ),
                s3.LifecycleRule(id="DropBrokenUploads", abort_incomplete_multipart_upload_after=Duration.days(7)),
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )
        accept(
            bucket,
            "S1",
            reason="Only this stack's roles read it, and it holds no personal data; CloudTrail's data events show who"
            " read it, without a second bucket.",
        )
        return bucket


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
