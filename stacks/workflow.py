from collections.abc import Mapping
from pathlib import Path

from aws_cdk import ArnFormat, Aws, Fn, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.console import console
from stacks.outputs import output
from stacks.reviewed import accept, wildcard

DEFINITION = Path(__file__).parent.parent / "statemachine" / "capture_traffic.asl.json"


class Workflow(Construct):
    """Runs `capture_traffic.asl.json` with the rights that its states need: a definition from text grants none."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        functions: Mapping[str, lambda_.Function],
        archive: s3.Bucket,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id_)
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        self.state_machine = sfn.StateMachine(
            self,
            "CaptureTraffic",
            # from_string, not from_file: the text stays in the template, where `cdk diff`, cfn-lint and tests see it.
            definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text(encoding="utf-8")),
            definition_substitutions={
                **{f"{name}FunctionArn": function.function_arn for name, function in functions.items()},
                "SummaryTopicArn": topic.topic_arn,
            },
            role=self._role,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self,
                    "Log",
                    log_group_name=_log_group_name(),
                    retention=logs.RetentionDays.THREE_MONTHS,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                # Not ALL: Step Functions keeps the history of every execution for 90 days, as long as this log.
                # Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
                level=sfn.LogLevel.ERROR,
                include_execution_data=True,  # states pass keys and counts, no traffic, and never the token
            ),
            tracing_enabled=True,
        )
        accept(
            self.state_machine,
            "SF1",
            reason="Step Functions keeps the complete history of each execution for 90 days, as long as this log;"
            " every error is logged.",
        )
        self._allow("lambda:InvokeFunction", *(function.function_arn for function in functions.values()))
        self._allow("s3:GetObject", archive.arn_for_objects("runs/*"))
        self._allow("sns:Publish", topic.topic_arn)
        self._accept_wildcards(archive)
        self._add_outputs()
        self._allow_children()

    @property
    def executions_arn(self) -> str:
        """The ARN of this machine's executions, without the name."""
        return Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=self.state_machine.state_machine_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _allow(self, action: str, *resources: str) -> None:
        self._role.add_to_policy(iam.PolicyStatement(actions=[action], resources=list(resources)))

    def _allow_children(self) -> None:
        """Let the Distributed Map start, watch, stop and redrive its children, which are executions of this machine.

        This needs a separate policy: the machine waits for its role's own policy, so that one cannot name the machine.

        Source:
            https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
            https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html (IAM permissions)
        """
        start = iam.PolicyStatement(actions=["states:StartExecution"], resources=[self.state_machine.state_machine_arn])
        watch = iam.PolicyStatement(
            actions=["states:DescribeExecution", "states:StopExecution"],
            # The ARN of a child contains the Map's label: execution:MACHINE/LABEL:NAME.
            resources=[f"{self.executions_arn}:*", f"{self.executions_arn}/*"],
        )
        redrive = iam.PolicyStatement(actions=["states:RedriveExecution"], resources=[f"{self.executions_arn}/*"])
        policy = iam.Policy(self, "DistributedMap", statements=[start, watch, redrive], roles=[self._role])
        executions = "IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:"
        accept(
            policy,
            *(f"{executions}{wildcard(self.state_machine, 'Name', rest)}]" for rest in (":*", "/*")),
            reason="Executions get their names at run time; the policy covers only this machine's.",
        )

    def _add_outputs(self) -> None:
        machine, region = self.state_machine.state_machine_arn, Aws.REGION
        runs = f"{console(self)}/states/home?region={region}#/statemachines/view/{machine}"
        command = f"aws stepfunctions start-execution --region {region} --state-machine-arn {machine} --input '{{}}'"
        output(self, "StateMachineArn", machine, "The state machine.")
        output(self, "ConsoleUrl", runs, "The runs, in the console.")
        output(
            self,
            "RunCommand",
            command,
            """Starts a run; --input '{"date": "2026-11-20"}' runs that day again.""",
        )

    def _accept_wildcards(self, archive: s3.Bucket) -> None:
        accept(
            self._role,
            "IAM5[Resource::*]",
            reason="Log deliveries and X-Ray's segments and sampling rules take no resource: AWS documents * for both.",
        )
        accept(
            self._role,
            f"IAM5[Resource::{wildcard(archive, 'Arn', '/runs/*')}]",
            reason="The manifest's key contains the run's name, which is made at run time.",
        )


def _log_group_name() -> str:
    """Return the name of the log group, which contains the id that CloudFormation gave to the stack.

    Without the prefix, each such group adds to one resource policy of 5,120 characters for the account's region. When
    that policy is full, the next group cannot be created. CloudFormation composes the name at deployment, because a
    deployment with a plain name would adopt the group that a deleted stack left.

    Sources:
        https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    unique = Fn.select(2, Fn.split("/", Aws.STACK_ID))  # arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID
    return f"/aws/vendedlogs/states/{Aws.STACK_NAME}-{unique}"
