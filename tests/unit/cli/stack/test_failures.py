"""A command for the stack in AWS, on a machine where something is missing before AWS can be called."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, SSOTokenLoadError, TokenRetrievalError

from cli.main import main
from cli.stack.failures import missing_access

REGION = ("no AWS region is set", "add --region, or set one with `aws configure` or in AWS_DEFAULT_REGION")
CREDENTIALS = ("no AWS credentials are found", "add --profile, or type `aws configure`")
PROFILE = ("there is no such AWS profile", "`aws configure list-profiles` lists the profiles")
SESSION = (
    "the AWS session has ended",
    "type `aws sso login`, with the same --profile, or renew the credentials in another way",
)


@pytest.fixture(autouse=True)
def _no_access(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave neither a region nor credentials on this machine."""
    names = ("REGION", "DEFAULT_REGION", "PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")
    for name in names:
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("options", "missing"),
    [([], REGION), (["--region", "eu-west-1"], CREDENTIALS), (["--profile", "nobody"], PROFILE)],
)
@pytest.mark.parametrize("command", ["run", "executions"])
def test_one_sentence_reports_what_is_missing_and_what_to_do(
    command: str, options: list[str], missing: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A list of everything that could be wrong, with the doctor at its end, would hide the one thing that is."""
    assert main([command, "--aws", *options]) == 1

    assert capsys.readouterr() == ("", f"traffic: error: {': '.join(missing)}.\n")


def test_the_doctor_reports_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """It has a column for each half of the sentence."""
    assert main(["doctor", "--aws"]) == 1

    assert capsys.readouterr().out == f"fail\tstack\t{REGION[0]}\t{REGION[1]}\n"


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (SSOTokenLoadError(error_msg="Token for x does not exist"), SESSION),
        (TokenRetrievalError(provider="sso", error_msg="it has expired"), SESSION),
        (ClientError({"Error": {"Code": "ExpiredToken"}}, "DescribeStacks"), SESSION),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeStacks"), None),
        (CredentialRetrievalError(provider="custom-process", error_msg="pass: no such entry"), None),
        (OSError("full"), None),
    ],
)
def test_an_ended_session_is_recognized(error: Exception, missing: tuple[str, str] | None) -> None:
    """Another error keeps its own text, which is the better one."""
    assert missing_access(error) == missing
