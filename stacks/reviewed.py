from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct

from stacks.first_version import resource


def accept(construct: Construct, *findings: str, reason: str) -> None:
    """Acknowledge findings of cdk-nag about a construct, with a reason that a security reviewer would accept.

    Args:
        construct: The construct, or one that contains it.
        findings: Their ids, as `make check` prints them, without the pack's name: `S1`, `IAM5[Resource::*]`.
        reason: Why the finding is no fault here.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason) for finding in findings)
    )


def wildcard(owner: Construct, attribute: str, rest: str) -> str:
    """Return how cdk-nag writes an ARN that ends in a wildcard.

    Args:
        owner: The construct whose attribute begins the ARN.
        attribute: The attribute: `Arn` or `Name`.
        rest: The rest of the ARN: `/runs/*`.
    """
    return f"<{Stack.of(owner).resolve(resource(owner).logical_id)}.{attribute}>{rest}"
