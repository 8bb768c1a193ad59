from aws_cdk import Aws, CfnMapping, Fn, Stack
from constructs import Construct

# Source: https://docs.aws.amazon.com/general/latest/gr/mgmt-console.html (REGION.console.aws.amazon.com). In the other
# partitions the console has the domain of the sign-in page. botocore lists these by partition; a test compares them.
DOMAINS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
    "aws-iso": "console.c2shome.ic.gov",
    "aws-iso-b": "console.sc2shome.sgov.gov",
    "aws-iso-e": "console.csphome.adc-e.uk",
    "aws-iso-f": "console.csphome.hci.ic.gov",
}


def console(scope: Construct) -> str:
    """Return the address of AWS's console in the partition and the region of the stack, without a path."""
    stack, name = Stack.of(scope), "Consoles"
    if stack.node.try_find_child(name) is None:
        CfnMapping(stack, name, mapping={partition: {"Domain": domain} for partition, domain in DOMAINS.items()})
    return f"https://{Aws.REGION}.{Fn.find_in_map(name, Aws.PARTITION, 'Domain')}"
