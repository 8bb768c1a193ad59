"""Promise: the token is in its secret only, and only the two steps that call GitHub read it."""

import json

from tests.infrastructure.conftest import Template, many, role_of

SECRET = {"Ref": "GitHubTokenSecret09BC4210"}


def test_only_the_steps_that_call_github_may_read_the_token(template: Template) -> None:
    """A flaw in storing or summarizing must not reach the token."""
    readers = {
        role
        for role in template.of_type("AWS::IAM::Role")
        for statement in template.statements(role)
        if any(action.startswith("secretsmanager:") for action in many(statement["Action"]))
    }

    assert readers == {role_of(template.function(folder)) for folder in ("list_repos", "fetch_traffic")}


def test_these_steps_may_only_read_the_token(template: Template) -> None:
    """Least privilege: one action, on one secret."""
    for folder in ("list_repos", "fetch_traffic"):
        (statement,) = [
            found
            for found in template.statements(role_of(template.function(folder)))
            if many(found["Action"])[0].startswith("secretsmanager:")
        ]
        assert statement["Action"] == "secretsmanager:GetSecretValue"
        assert statement["Resource"] == SECRET


def test_the_parameter_is_never_shown_and_only_the_secret_uses_it(template: Template) -> None:
    """NoEcho hides the value in consoles and logs only if nothing else uses it."""
    parameter = template.body["Parameters"]["GitHubAccessToken"]
    text = json.dumps(template.body)

    assert parameter["NoEcho"] is True
    assert "Default" not in parameter
    assert text.count('{"Ref": "GitHubAccessToken"}') == 1
    assert "${GitHubAccessToken}" not in text


def test_a_later_deployment_does_not_bring_an_old_token_back(template: Template) -> None:
    """CloudFormation writes the parameter again if another property of the secret changes, so it has no other."""
    assert template.only("AWS::SecretsManager::Secret") == {"SecretString": {"Ref": "GitHubAccessToken"}}


def test_environments_contain_the_secrets_name_and_no_secret(template: Template) -> None:
    """Everyone who may see a function's configuration sees its environment."""
    for function in template.of_type("AWS::Lambda::Function").values():
        variables = function["Properties"]["Environment"]["Variables"]
        assert variables.get("GITHUB_TOKEN_SECRET", SECRET) == SECRET
        assert {"Ref": "GitHubAccessToken"} not in variables.values()
        assert "resolve:secretsmanager" not in json.dumps(variables)
