"""Cure of ministack's Secrets Manager."""

import functools
from typing import Any

from ministack.core import responses
from ministack.services import secretsmanager

LONGEST_SECRET = 65_536  # bytes


def refuse_large_secrets() -> None:
    """Refuse a secret of more than 64 KiB.

    ministack: accepts any.
    AWS: answers `ValidationException`.

    Source:
        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    """
    for name in ("_create_secret", "_put_secret_value", "_update_secret"):
        setattr(secretsmanager, name, refusing_large_secrets(getattr(secretsmanager, name)))


def refusing_large_secrets(operation: Any) -> Any:
    """Wrap an operation so that it first checks the secret's size."""

    @functools.wraps(operation)
    def check_and_do(data: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        if len((data.get("SecretString") or "").encode()) > LONGEST_SECRET:
            message = (
                "1 validation error detected: Value at 'secretString' failed to satisfy constraint: "
                f"Member must have length less than or equal to {LONGEST_SECRET}"
            )
            return responses.error_response_json("ValidationException", message, 400)
        return operation(data, *arguments, **options)

    return check_and_do
