"""The token is cached for minutes: a rotated token is used without a new deployment, and the secret is read rarely."""

from datetime import datetime, timedelta

import pytest
from aws_lambda_powertools.utilities.parameters import base

from lambdas.shared.github_access import read_token
from tests.unit.handlers import TOKEN, Account, account


class Clock(datetime):
    """A clock that stands still until a test moves it: replacing a secret may take seconds on a busy machine."""

    moment = datetime(2026, 11, 20, 9)  # noqa: DTZ001 - Powertools uses no time zone

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # Powertools passes no time zone
        """Return the time."""
        assert tz is None
        return cls.moment


def rotated(monkeypatch: pytest.MonkeyPatch, aws: Account, *, after: float) -> str:
    """Read the token, replace it, and read it again so many seconds later."""
    monkeypatch.setattr(base, "datetime", Clock)
    assert read_token() == TOKEN
    aws.secrets.put_secret_value(SecretId="token", SecretString="rotated")
    monkeypatch.setattr(Clock, "moment", Clock.moment + timedelta(seconds=after))
    return read_token()


def test_a_rotated_token_is_used_after_some_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if GitHub still accepts the old one, which nobody would notice."""
    with account(monkeypatch, "http://127.0.0.1:9") as aws:
        assert rotated(monkeypatch, aws, after=301) == "rotated"


def test_until_then_the_secret_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each read is paid for, and thousands of children would be throttled."""
    with account(monkeypatch, "http://127.0.0.1:9") as aws:
        assert rotated(monkeypatch, aws, after=299) == TOKEN
