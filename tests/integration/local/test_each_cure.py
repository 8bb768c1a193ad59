"""Each cure has a test that fails without it: a cure that is no longer installed must not go unnoticed."""

import ast
import os
import subprocess
import sys

import pytest

from local.engine import ROOT

ATHENA, CURES, CODE, DEPLOYMENT, LIMITS = (
    f"tests/integration/local/test_engine_{name}.py::test_"
    for name in ("athena", "cures", "code", "deployment", "limits")
)
POLICIES = "tests/integration/local/test_policies_enforced.py::test_"

# The test of each cure.
TESTS = {
    "athena.name_the_workgroup_of_a_query": f"{ATHENA}a_right_to_the_workgroup_is_a_right_to_its_queries",
    "athena.read_tables_of_json": f"{ATHENA}a_table_of_json_has_the_columns_of_its_definition",
    "athena.understand_athena_sql": f"{ATHENA}a_query_in_athenas_sql_is_answered",
    "cloudformation.adopt_existing_buckets": f"{DEPLOYMENT}a_deleted_stack_leaves_its_table_to_the_next",
    "cloudformation.apply_bucket_lifecycle": f"{DEPLOYMENT}properties_of_tables_and_buckets_are_applied",
    "cloudformation.apply_table_properties": f"{DEPLOYMENT}properties_of_tables_and_buckets_are_applied",
    "cloudformation.hide_no_echo_values": f"{CURES}the_token_is_stored_only_in_the_file_of_secrets",
    "cloudformation.refer_to_secrets_by_arn": f"{DEPLOYMENT}a_secret_of_an_earlier_version_is_referred_to_by_its_arn",
    "dynamodb.store_items_on_disk": f"{CURES}items_of_every_type_survive_a_kill",
    "iam.enforce_policies": f"{POLICIES}the_machine_is_refused_calls_that_its_role_does_not_allow",
    "lambda_functions.end_functions_at_their_limits": f"{CURES}a_function_that_timed_out_writes_nothing_afterwards",
    "lambda_functions.name_lambda_errors": f"{CURES}an_error_is_retried_and_caught_under_its_class_name",
    "lambda_functions.share_unpacked_code": f"{CODE}all_functions_of_one_zip_share_its_unpacked_and_compiled_code",
    "logs.limit_resource_policies": f"{LIMITS}a_resource_policy_over_5120_characters_is_refused",
    "payloads.refuse_large_payloads": f"{LIMITS}an_input_over_256_kib_is_refused",
    "s3.refuse_unwritten_objects": f"{CURES}an_object_that_cannot_be_written_is_refused",
    "secretsmanager.refuse_large_secrets": f"{LIMITS}an_item_over_400_kb_and_a_secret_over_64_kib_are_refused",
    "sns.confirm_mail_addresses": f"{CURES}an_e_mail_subscription_waits_for_its_confirmation",
    "sns.name_publish_errors": f"{LIMITS}a_subject_that_no_mail_can_have_is_refused",
    "sns.refuse_bad_subjects": f"{LIMITS}a_subject_that_no_mail_can_have_is_refused",
    "step_functions.forget_old_executions": f"{CURES}an_execution_of_more_than_90_days_ago_is_not_saved_again",
    "step_functions.honour_retry_fields": f"{CURES}a_retry_waits_no_longer_than_its_longest_delay",
    "step_functions.read_max_concurrency_path": f"{CURES}a_map_runs_as_many_children_at_once_as_its_input_says",
    "step_functions.record_states_of_children": f"{CURES}the_history_of_a_child_execution_contains_its_states",
}


def test_every_cure_is_installed_and_has_a_test() -> None:
    """The list above is complete."""
    tree = ast.parse((ROOT / "local" / "cures" / "__init__.py").read_text())
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]

    assert sorted(map(ast.unparse, calls)) == sorted(TESTS)


@pytest.mark.slow
@pytest.mark.parametrize("cure", sorted(TESTS))
def test_the_test_of_a_cure_fails_without_it(cure: str) -> None:
    """The engine of the inner pytest leaves the cure out; see the conftest of tests/integration."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", TESTS[cure]]

    result = subprocess.run(  # noqa: S603 - our own tests
        command, cwd=ROOT, env={**os.environ, "UNCURED": cure}, capture_output=True, text=True, check=False
    )

    assert result.returncode == 1, result.stdout
    assert "FAILED" in result.stdout, result.stdout
