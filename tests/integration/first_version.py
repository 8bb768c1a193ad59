"""The first version of this project as a CloudFormation stack, which an upgrade in place replaces.

Source:
    https://github.com/bpguasch/github-traffic-capture (cdk-app/cdk_app/cdk_app_stack.py), synthesized by CDK 2: logical
    ids and properties are unchanged. The layer, the function's code and the check of the bootstrap version are
    omitted: they contain no history.
"""

import json
import time
from typing import Any

from local.engine import Engine
from stacks.first_version import DAILY_RULE, TOKEN_SECRET, TRAFFIC_TABLE

STACK = "GitHubTrafficCaptureStack"

FUNCTION = "FunctionGetRepositoriesTraffic60042DCE"
ROLE = "FunctionGetRepositoriesTrafficServiceRoleE0290B31"
POLICY = "FunctionGetRepositoriesTrafficServiceRoleDefaultPolicy2C4E1D80"
LOG_GROUP = "FunctionGetRepositoriesTrafficLogGroupEA310505"
PERMISSION = "RuleGetRepoTrafficAllowEventRuleGitHubTrafficCaptureStackFunctionGetRepositoriesTrafficDE1FD38FC549CF98"

TEMPLATE: dict[str, Any] = {
    "Parameters": {"GitHubAccessToken": {"Type": "String", "NoEcho": True}},
    "Resources": {
        TOKEN_SECRET: {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"SecretString": {"Ref": "GitHubAccessToken"}},
            "UpdateReplacePolicy": "Delete",
            "DeletionPolicy": "Delete",
        },
        TRAFFIC_TABLE: {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "RepoTraffic",
                "KeySchema": [
                    {"AttributeName": "repo-name", "KeyType": "HASH"},
                    {"AttributeName": "timestamp", "KeyType": "RANGE"},
                ],
                "AttributeDefinitions": [
                    {"AttributeName": "repo-name", "AttributeType": "S"},
                    {"AttributeName": "timestamp", "AttributeType": "S"},
                ],
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
                "SSESpecification": {"SSEEnabled": True},
            },
            "UpdateReplacePolicy": "Delete",
            "DeletionPolicy": "Delete",
        },
        LOG_GROUP: {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "/aws/lambda/getRepositoriesTraffic", "RetentionInDays": 180},
            "UpdateReplacePolicy": "Delete",
            "DeletionPolicy": "Delete",
        },
        ROLE: {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
                "ManagedPolicyArns": [
                    {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}
                ],
            },
        },
        POLICY: {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": POLICY,
                "Roles": [{"Ref": ROLE}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "dynamodb:BatchWriteItem",
                            "Resource": {"Fn::GetAtt": [TRAFFIC_TABLE, "Arn"]},
                        },
                        {
                            "Effect": "Allow",
                            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                            "Resource": {"Ref": TOKEN_SECRET},
                        },
                    ],
                },
            },
        },
        FUNCTION: {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "getRepositoriesTraffic",
                "Runtime": "python3.9",
                "Handler": "index.handler",
                "Timeout": 120,
                "Role": {"Fn::GetAtt": [ROLE, "Arn"]},
                "Code": {"ZipFile": "def handler(event, context):\n    return {'statusCode': 200}\n"},
                "Environment": {
                    "Variables": {"SECRET_ARN": {"Ref": TOKEN_SECRET}, "TABLE_NAME": {"Ref": TRAFFIC_TABLE}}
                },
            },
            "DependsOn": [POLICY, ROLE, LOG_GROUP],
        },
        DAILY_RULE: {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "RuleGetRepoTraffic",
                "ScheduleExpression": "cron(0 9 * * ? *)",
                "State": "ENABLED",
                "Targets": [{"Arn": {"Fn::GetAtt": [FUNCTION, "Arn"]}, "Id": "Target0"}],
            },
        },
        PERMISSION: {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Fn::GetAtt": [FUNCTION, "Arn"]},
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": [DAILY_RULE, "Arn"]},
            },
        },
    },
}


def deploy_first_version(engine: Engine, token: str) -> None:
    """Deploy the stack as `cdk deploy` did."""
    client = engine.client("cloudformation")
    client.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "GitHubAccessToken", "ParameterValue": token}],
        Capabilities=["CAPABILITY_IAM"],
    )
    give_up = time.monotonic() + 60
    while (status := client.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]) != "CREATE_COMPLETE":
        assert status == "CREATE_IN_PROGRESS", status
        assert time.monotonic() < give_up, "the first version is not deployed in time"
        time.sleep(0.05)


def put_rows(engine: Engine, name: str, days: dict[str, tuple[int, int, int, int]]) -> None:
    """Write days as the first version did: without the owner, and with zeros for missing days."""
    for day, (views, visitors, clones, cloners) in days.items():
        engine.client("dynamodb").put_item(
            TableName="RepoTraffic",
            Item={
                "repo-name": {"S": name},
                "timestamp": {"S": f"{day}T00:00:00Z"},
                "views-count": {"N": str(views)},
                "views-uniques": {"N": str(visitors)},
                "clones-count": {"N": str(clones)},
                "clones-uniques": {"N": str(cloners)},
            },
        )
