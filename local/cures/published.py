"""Where ministack publishes what AWS refuses."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import re
import xml.etree.ElementTree as ET
from typing import Any

from ministack.services import sns, stepfunctions

LONGEST_SUBJECT = 100  # characters; the documentation says "less than 100", but 100 are taken

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")

NAMESPACE = "{http://sns.amazonaws.com/doc/2010-03-31/}"


def refuse_bad_subjects() -> None:
    """Refuse a subject that no e-mail could have.

    ministack: takes any.
    AWS: answers `InvalidParameter` to more than 100 characters, a line break or another control character.

    Source:
        https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    publish = sns.publish_internal

    @functools.wraps(publish)
    def publish_checked(topic_arn: str, message: Any, subject: str = "", **options: Any) -> Any:
        if subject and (len(subject) > LONGEST_SUBJECT or CONTROL_CHARACTER.search(subject)):
            raise sns.SnsPublishError("InvalidParameter", "Invalid parameter: Subject")
        return publish(topic_arn, message, subject, **options)

    sns.publish_internal = publish_checked


def name_publish_errors() -> None:
    """Let a state that publishes fail under SNS's own error.

    ministack: every failure is `SNS.PublishFailed`.
    AWS: `SNS.` and the name of the SDK's exception, with its message as the cause.
    """
    publish = stepfunctions._invoke_sns_publish

    @functools.wraps(publish)
    def publish_and_name(resource: str, given: Any) -> Any:
        try:
            return publish(resource, given)
        except stepfunctions._ExecutionError as exc:
            code, message = read_error(exc.cause)
            raise stepfunctions._ExecutionError(f"SNS.{code}Exception", message) from exc

    for prefix, handler in stepfunctions._SERVICE_DISPATCH.items():
        if handler is publish:
            stepfunctions._SERVICE_DISPATCH[prefix] = publish_and_name


def read_error(document: str) -> tuple[str, str]:
    """Read code and message from SNS's answer in XML."""
    error = ET.fromstring(document).find(f"{NAMESPACE}Error")  # noqa: S314 - written by this process
    if error is None:
        return "InternalError", document
    code = (error.findtext(f"{NAMESPACE}Code") or "InternalError").removesuffix("Exception")
    return code, error.findtext(f"{NAMESPACE}Message") or ""
