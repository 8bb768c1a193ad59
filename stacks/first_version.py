"""The logical ids that the first version of this stack gave to resources that an upgrade in place must keep.

CloudFormation identifies a resource by its logical id. With other ids, an upgrade would try to create a second table
and a second rule, and fail, because their fixed names are taken. CDK derived these ids from the first version's
constructs, which were direct children of the stack.

Source:
    https://github.com/bpguasch/github-traffic-capture (cdk-app/cdk_app/cdk_app_stack.py)
"""

from aws_cdk import CfnResource
from constructs import Construct

TRAFFIC_TABLE = "TrafficTableC0923B77"
TOKEN_SECRET = "GitHubTokenSecret09BC4210"  # noqa: S105  # a logical id
DAILY_RULE = "RuleGetRepoTrafficA3AA81BC"


def keep_logical_id(construct: Construct, logical_id: str) -> None:
    """Set the logical id of a construct's resource to the one that the first version used."""
    resource(construct).override_logical_id(logical_id)


def resource(construct: Construct) -> CfnResource:
    """Return the one resource of a construct.

    Raises:
        TypeError: The construct has no resource, or several.
    """
    child = construct.node.default_child
    if not isinstance(child, CfnResource):
        raise TypeError(f"{construct.node.path} stands for no single resource")
    return child
