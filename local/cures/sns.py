"""Cures of ministack's SNS, and of states that publish to it."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for
import re
import secrets
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from ministack.services import sns, stepfunctions
from ministack.services.cloudformation import provisioners

MAIL = ("email", "email-json")

Handler = Callable[[Mapping[str, Any]], Any]

signed: ContextVar[bool] = ContextVar("signed", default=False)


def confirm_mail_addresses() -> None:
    """Let an e-mail subscription wait until its owner confirms it, and let the link in its e-mails end it.

    ministack: confirms an e-mail subscription at once, lets everybody unsubscribe it, and then removes it.
    AWS: lists it as `PendingConfirmation` until somebody confirms the token of an e-mail. Then everybody may
    unsubscribe it, unless a signed request confirmed it with `AuthenticateOnUnsubscribe`. Afterwards it is listed as
    `Deleted`. Both entries disappear after a time (48 hours, about 72 hours), which is not simulated.

    Source:
        https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html
        https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html
    """
    _notice_signatures()
    create = provisioners._sns_sub_create

    @functools.wraps(create)
    def create_pending(logical_id: str, props: Mapping[str, Any], stack: str) -> Any:
        created = create(logical_id, props, stack)
        for subscription in _mails(str(props.get("TopicArn"))):
            if subscription["arn"] == created[0]:
                _await_confirmation(subscription)
        return created

    provisioners._RESOURCE_HANDLERS["AWS::SNS::Subscription"]["create"] = create_pending
    provisioners._sns_sub_create = create_pending
    sns._subscribe = _subscribe(sns._subscribe)
    sns._confirm_subscription = _confirm_subscription(sns._confirm_subscription)
    sns._unsubscribe = _unsubscribe(sns._unsubscribe)
    sns._list_subscriptions_by_topic = _list_subscriptions_by_topic


def confirmation_mails() -> list[dict[str, str]]:
    """Return the e-mails that AWS would send: each address to confirm, and the link that confirms it."""
    return [
        {"to": each["endpoint"], "link": _link(each)}
        for topic in sns._topics.all_values()
        for each in topic["subscriptions"]
        if each["protocol"] in MAIL and each.get("token")
    ]


def _link(subscription: Mapping[str, Any]) -> str:
    topic, endpoint = subscription["topic_arn"], quote(subscription["endpoint"])
    region = topic.split(":")[3]
    page = f"https://sns.{region}.amazonaws.com/confirmation.html"
    return f"{page}?TopicArn={topic}&Token={subscription['token']}&Endpoint={endpoint}"


def _notice_signatures() -> None:
    """Record whether each request is signed."""
    handle = sns.handle_request

    @functools.wraps(handle)
    async def handle_and_notice(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        signed.set(any(name.lower() == "authorization" for name in headers) or "X-Amz-Signature" in query)
        return await handle(method, path, headers, body, query)

    sns.handle_request = handle_and_notice


def _mails(topic_arn: str) -> Iterator[dict[str, Any]]:
    topic = sns._topic_by_arn_any_scope(topic_arn)
    yield from (each for each in (topic or {}).get("subscriptions", []) if each["protocol"] in MAIL)


def _await_confirmation(subscription: dict[str, Any]) -> None:
    subscription.update(confirmed=False, token=secrets.token_hex(64))
    subscription["attributes"].update(
        {
            "SubscriptionArn": subscription["arn"],
            "TopicArn": subscription["topic_arn"],
            "Protocol": subscription["protocol"],
            "Endpoint": subscription["endpoint"],
            "Owner": subscription["owner"],
            "PendingConfirmation": "true",
            "ConfirmationWasAuthenticated": "false",
        }
    )


def _subscribe(subscribe: Handler) -> Handler:
    @functools.wraps(subscribe)
    def subscribe_pending(params: Mapping[str, Any]) -> Any:
        topic_arn, endpoint = sns._p(params, "TopicArn"), sns._p(params, "Endpoint")
        known = {each["arn"] for each in _mails(topic_arn)}
        answer = subscribe(params)
        for each in _mails(topic_arn):
            if each["arn"] not in known:
                _await_confirmation(each)
        waits = any(each["endpoint"] == endpoint and not each["confirmed"] for each in _mails(topic_arn))
        if answer[0] != 200 or not waits or sns._p(params, "ReturnSubscriptionArn") == "true":
            return answer
        result = "<SubscribeResult><SubscriptionArn>pending confirmation</SubscriptionArn></SubscribeResult>"
        return sns._xml(200, "SubscribeResponse", result)

    return subscribe_pending


def _confirm_subscription(confirm: Handler) -> Handler:
    @functools.wraps(confirm)
    def confirm_with_signature(params: Mapping[str, Any]) -> Any:
        authenticated = sns._p(params, "AuthenticateOnUnsubscribe") == "true"
        if authenticated and not signed.get():
            return sns._error("AuthorizationError", "This request must be signed", 403)
        waiting = [each for each in _mails(sns._p(params, "TopicArn")) if each.get("token")]
        answer = confirm(params)
        if answer[0] == 400:  # AWS's error code
            return sns._error("InvalidParameter", "Invalid parameter: Token", 400)
        for each in waiting:
            if each["confirmed"]:
                each["attributes"]["ConfirmationWasAuthenticated"] = str(authenticated).lower()
        return answer

    return confirm_with_signature


def _unsubscribe(unsubscribe: Handler) -> Handler:
    @functools.wraps(unsubscribe)
    def unsubscribe_mail(params: Mapping[str, Any]) -> Any:
        arn = sns._p(params, "SubscriptionArn")
        topic_arn = sns._sub_arn_to_topic.get(arn)
        ended = next((each for each in _mails(topic_arn or "") if each["arn"] == arn), None)
        if ended and ended["attributes"].get("ConfirmationWasAuthenticated") == "true" and not signed.get():
            return sns._error("AuthorizationError", "This request must be signed", 403)
        answer = unsubscribe(params)
        if ended:
            sns._topic_by_arn_any_scope(topic_arn).setdefault("deleted", []).append(ended)
        return answer

    return unsubscribe_mail


def _list_subscriptions_by_topic(params: Mapping[str, Any]) -> Any:
    topic, refused = sns._get_topic(sns._p(params, "TopicArn"), "sns:ListSubscriptionsByTopic")
    if refused is not None:
        return refused
    members = "".join(
        [_member(each, each["arn"] if each["confirmed"] else "PendingConfirmation") for each in topic["subscriptions"]]
        + [_member(each, "Deleted") for each in topic.get("deleted", [])]
    )
    listed = f"<Subscriptions>{members}</Subscriptions>"
    result = f"<ListSubscriptionsByTopicResult>{listed}</ListSubscriptionsByTopicResult>"
    return sns._xml(200, "ListSubscriptionsByTopicResponse", result)


def _member(subscription: Mapping[str, Any], arn: str) -> str:
    fields = {
        "SubscriptionArn": arn,
        "Owner": subscription["owner"],
        "TopicArn": subscription["topic_arn"],
        "Protocol": subscription["protocol"],
        "Endpoint": subscription["endpoint"],
    }
    content = "".join(f"<{name}>{sns._xml_escape(value)}</{name}>" for name, value in fields.items())
    return f"<member>{content}</member>"


LONGEST_SUBJECT = 100  # characters; 100 are accepted, although the documentation demands fewer

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")

NAMESPACE = "{http://sns.amazonaws.com/doc/2010-03-31/}"


def refuse_bad_subjects() -> None:
    """Refuse a subject that no e-mail can have.

    ministack: accepts any.
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
    """Let a state that publishes fail with SNS's own error.

    ministack: every failure is `SNS.PublishFailed`.
    AWS: the error is `SNS.` and the name of the SDK's exception, the cause is its message.
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
    """Return the code and the message of SNS's answer in XML."""
    error = ET.fromstring(document).find(f"{NAMESPACE}Error")  # noqa: S314 - written by this process
    if error is None:
        return "InternalError", document
    code = (error.findtext(f"{NAMESPACE}Code") or "InternalError").removesuffix("Exception")
    return code, error.findtext(f"{NAMESPACE}Message") or ""
