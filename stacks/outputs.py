from aws_cdk import CfnOutput
from constructs import Construct


def output(scope: Construct, name: str, value: str, description: str) -> None:
    """Add an output that people or `traffic` need. Its name is public: commands read it."""
    CfnOutput(scope, f"{name}Output", value=value, description=description).override_logical_id(name)
