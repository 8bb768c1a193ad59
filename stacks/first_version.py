"""The logical ids that the first version of this stack gave to what an upgrade in place has to meet again.

CloudFormation knows a resource by its logical id. Under another one, an upgrade would create a second table and a
second rule, whose fixed names are taken: it would fail. The ids are those that CDK derived from the first version's
constructs, which lay in the stack itself.

Source:
    https://github.com/bpguasch/github-traffic-capture (cdk-app/cdk_app/cdk_app_stack.py)
"""

from aws_cdk import CfnResource
from constructs import Construct

TRAFFIC_TABLE = "TrafficTableC0923B77"
TOKEN_SECRET = "GitHubTokenSecret09BC4210"  # noqa: S105  # a logical id
DAILY_RULE = "RuleGetRepoTrafficA3AA81BC"


def keep_logical_id(construct: Construct, logical_id: str) -> None:
    """Give a construct's resource the logical id it always had."""
    resource(construct).override_logical_id(logical_id)


def resource(construct: Construct) -> CfnResource:
    """Reach the one resource behind a construct.

    Raises:
        TypeError: It has none, or several.
    """
    child = construct.node.default_child
    if not isinstance(child, CfnResource):
        raise TypeError(f"{construct.node.path} stands for no single resource")
    return child
