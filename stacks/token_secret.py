from aws_cdk import CfnParameter, SecretValue
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.first_version import TOKEN_SECRET, keep_logical_id
from stacks.outputs import output
from stacks.reviewed import accept


class Token(Construct):
    """The secret that holds the GitHub token.

    If any property of the secret changes in the template, CloudFormation writes the parameter's value again, and so
    brings back a token that was replaced. So this secret has no other property (no name, description or tags), and must
    never get one. The first version's secret had none either, so an upgrade does not change it.
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
            reason="Only its owner can make a new token at GitHub; no function can rotate it, but traffic token can.",
        )
