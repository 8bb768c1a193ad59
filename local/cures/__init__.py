"""Where ministack 1.5.33 differs from AWS in ways that matter here, and how that is put right: a file for each service.

Each cure says what ministack does and what AWS does. All are patches of a pinned version; each makes sure that
what it patches is still there, and has a test.
"""

from pathlib import Path

from local.cures import (
    cloudformation,
    dynamodb,
    iam,
    lambda_functions,
    logs,
    payloads,
    s3,
    secretsmanager,
    sns,
    step_functions,
)


def apply_cures(functions: Path) -> None:
    """Apply every cure to the ministack of this process, once, before it serves.

    Args:
        functions: Where the functions' code is unpacked.
    """
    lambda_functions.share_unpacked_code(functions)
    lambda_functions.name_lambda_errors()
    lambda_functions.end_functions_at_their_limits()
    step_functions.honour_retry_fields()
    step_functions.forget_old_executions()
    step_functions.tell_states_of_children()
    cloudformation.hide_no_echo_values()
    cloudformation.adopt_existing_buckets()
    cloudformation.refer_to_secrets_by_arn()
    s3.refuse_unwritten_objects()
    dynamodb.stream_table_items()
    cloudformation.apply_table_properties()
    cloudformation.apply_bucket_lifecycle()
    sns.confirm_mail_addresses()
    sns.refuse_bad_subjects()
    sns.name_publish_errors()
    payloads.refuse_large_payloads()
    logs.limit_resource_policies()
    secretsmanager.refuse_large_secrets()
    iam.enforce_policies()
