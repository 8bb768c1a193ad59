from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct

from stacks.first_version import resource


def accept(construct: Construct, *findings: str, reason: str) -> None:
    """Acknowledge what cdk-nag finds wrong with a construct, with a reason that a security reviewer would accept.

    Args:
        construct: The construct, or one around it.
        findings: Their ids, as `make check` prints them, without the pack's name: `S1`, `IAM5[Resource::*]`.
        reason: Why it is right here.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason) for finding in findings)
    )


def wildcard(owner: Construct, attribute: str, rest: str) -> str:
    """Name the finding that a policy allows an ARN ending in a wildcard, as cdk-nag writes it.

    Args:
        owner: What the ARN is taken from.
        attribute: The attribute of it that is taken: `Arn`, `Name`.
        rest: What follows: `/runs/*`.
    """
    return f"<{Stack.of(owner).resolve(resource(owner).logical_id)}.{attribute}>{rest}"
