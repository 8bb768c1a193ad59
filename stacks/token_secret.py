from aws_cdk import CfnParameter, SecretValue
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.first_version import TOKEN_SECRET, keep_logical_id
from stacks.outputs import output
from stacks.reviewed import accept


class Token(Construct):
    """The GitHub token, in a secret.

    CloudFormation writes the parameter's value again whenever any property of the secret changes in the template, and
    so would bring back a token that was replaced since. Hence this secret has no other property (no name, description
    or tags) and never gets one; the first version's had none either, so an upgrade leaves it alone, too.
    """

    def __init__(self, scope: Construct, id_: str, *, parameter: CfnParameter) -> None:
        super().__init__(scope, id_)
        self.secret = secretsmanager.Secret(
            self, "GitHubTokenSecret", secret_string_value=SecretValue.cfn_parameter(parameter)
        )
        keep_logical_id(self.secret, TOKEN_SECRET)
        output(
            self, "GitHubTokenSecret", self.secret.secret_arn, "The token's secret. traffic token replaces its value."
        )
        accept(
            self.secret,
            "SMG4",
            reason="Only its owner can make a new token at GitHub; no function can rotate it, traffic token does.",
        )
