"""The resources of the version before this one that people or history depend on, as an update in place finds them.

Tables have all properties of its template. Other resources have the properties whose change makes CloudFormation
replace the resource; a property that is missing here was not set.
"""

from typing import Any

from local.engine import ACCOUNT, REGION

BUCKET_NAME = f"github-traffic-archive-{ACCOUNT}-{REGION}"  # where the account is known

TOPIC = "NotificationsSummaryA04F0844"

FUNCTIONS = (
    "FunctionsListReposAE50EF4D",
    "FunctionsFetchTraffic5C9C6A8C",
    "FunctionsStoreTraffic6E1D968E",
    "FunctionsSummarizeRun75DAAE4D",
)

FUNCTION_LOGS = (
    "FunctionsListReposLog8C7E759D",
    "FunctionsFetchTrafficLogD377EF05",
    "FunctionsStoreTrafficLogEB6FDAF2",
    "FunctionsSummarizeRunLog218926CA",
)

RUN_LOG = "WorkflowLogD7C9FC7F"  # the state machine's


def table(name: str, **keys: str) -> dict[str, Any]:
    """Return a table with its name, its partition key and, if it has one, its sort key."""
    kinds = ("HASH", "RANGE")
    properties = {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys.values()],
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys.values(), kinds, strict=False)],
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    return {"Type": "AWS::DynamoDB::Table", "Properties": properties}


RESOURCES: dict[str, dict[str, Any]] = {
    "TrafficTableC0923B77": table("RepoTraffic", partition="repo-name", sort="timestamp"),
    "StorageRepositoriesTable7A405D38": table("RepoTrafficRepositories", partition="repo-id"),
    "StorageSnapshotsTable53E570A2": table("RepoTrafficSnapshots", partition="repo-id", sort="captured-on"),
    "StorageArchiveEF4C9845": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET_NAME}},
    "GitHubTokenSecret09BC4210": {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"SecretString": {"Ref": "GitHubAccessToken"}},
    },
    "RuleGetRepoTrafficA3AA81BC": {"Type": "AWS::Events::Rule", "Properties": {"Name": "RuleGetRepoTraffic"}},
    "WorkflowCaptureTraffic1D2443E1": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {}},
    TOPIC: {"Type": "AWS::SNS::Topic", "Properties": {}},
    "NotificationsEmailBB264023": {
        "Type": "AWS::SNS::Subscription",
        "Properties": {"Endpoint": {"Ref": "SummaryEmail"}, "Protocol": "email", "TopicArn": {"Ref": TOPIC}},
    },
    "DeadLettersQueue631681B1": {"Type": "AWS::SQS::Queue", "Properties": {}},
    **{id_: {"Type": "AWS::Lambda::Function", "Properties": {}} for id_ in FUNCTIONS},
    **{id_: {"Type": "AWS::Logs::LogGroup", "Properties": {}} for id_ in (*FUNCTION_LOGS, RUN_LOG)},
}
