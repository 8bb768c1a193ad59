from aws_cdk import CfnOutput
from constructs import Construct


def output(scope: Construct, name: str, value: str, description: str) -> None:
    """Name something that a person, or `traffic`, needs of the deployment. The name is public: commands read it."""
    CfnOutput(scope, f"{name}Output", value=value, description=description).override_logical_id(name)
