"""Patches of ministack 1.5.33 where it differs from AWS in ways that matter here: a file for each service.

The docstring of each cure describes what ministack does and what AWS does. The version is pinned, and each cure has a
test, listed in `tests/integration/local/test_each_cure.py`.
"""

from local.cures import (
    athena,
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
from local.history_folder import HistoryFolder
from local.stored_items import EngineTables


def apply_cures(history: HistoryFolder, tables: EngineTables) -> None:
    """Apply every cure to the ministack of this process, once, before it serves.

    Args:
        history: The history that the engine serves.
        tables: Its tables.
    """
    lambda_functions.share_unpacked_code(history.functions)
    lambda_functions.name_lambda_errors()
    lambda_functions.end_functions_at_their_limits()
    step_functions.honour_retry_fields()
    step_functions.forget_old_executions()
    step_functions.record_states_of_children()
    step_functions.read_max_concurrency_path()
    cloudformation.hide_no_echo_values()
    cloudformation.adopt_existing_buckets()
    cloudformation.refer_to_secrets_by_arn()
    s3.refuse_unwritten_objects()
    dynamodb.store_items_on_disk(tables)
    cloudformation.apply_table_properties()
    cloudformation.apply_bucket_lifecycle()
    sns.confirm_mail_addresses()
    sns.refuse_bad_subjects()
    sns.name_publish_errors()
    payloads.refuse_large_payloads()
    logs.limit_resource_policies()
    secretsmanager.refuse_large_secrets()
    athena.understand_athena_sql()
    athena.read_tables_of_json()
    athena.name_the_workgroup_of_a_query()
    iam.enforce_policies()
