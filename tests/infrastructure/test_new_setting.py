"""Promise: a new setting is a row in the table of settings, and the code that uses its value."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.house import PACKAGES, ROOT

ROW = """
    Setting(
        key="languages",
        parameter="Languages",
        variable="TRAFFIC_LANGUAGES",
        shape=TOPIC,
        meaning="Captures only repositories in these languages, for example g*.",
        many=True,
        functions=LISTING,
    ),
"""

# Prints all that follows from the table.
SCRIPT = """
import json, sys
from pathlib import Path

import cli.main
from cli.settings.local_settings import read_settings
from lambdas.shared.environment import _list
from stacks.traffic_stack import STACK_NAME, traffic_app
from traffic.settings import markdown_table

template = traffic_app(bundling=False, outdir="assembly").synth().get_stack_by_name(STACK_NAME).template
functions = [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
found = {
    "parameter": template["Parameters"]["Languages"],
    "environment": {
        each["Handler"]: each["Environment"]["Variables"].get("TRAFFIC_LANGUAGES") for each in functions
    },
    "deployed": _list("languages", {"TRAFFIC_LANGUAGES": "python, go"}),
    "file": read_settings({}, Path("file")).parameters["Languages"],
    "env": read_settings({}, Path()).parameters["Languages"],
    "typed": read_settings({"TRAFFIC_LANGUAGES": "rust"}, Path()).parameters["Languages"],
    "row": next(line for line in markdown_table().splitlines() if "languages" in line),
}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with one more row in the table, and a folder's settings that use it."""
    copy = tmp_path_factory.mktemp("house")
    for package in (*PACKAGES, "statemachine"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    table = copy / "traffic" / "settings.py"
    before, after = table.read_text(encoding="utf-8").split("\nSETTINGS = (\n")
    table.write_text(f"{before}\nSETTINGS = (\n{ROW}{after}", encoding="utf-8")
    shutil.copyfile(ROOT / "lambdas" / "requirements.txt", copy / "lambdas" / "requirements.txt")
    for folder in (copy, copy / "file"):
        folder.mkdir(exist_ok=True)
        (folder / "traffic.toml").write_text('languages = ["python", "go"]\n', encoding="utf-8")
    (copy / ".env").write_text("TRAFFIC_LANGUAGES=go\n", encoding="utf-8")
    return copy


def run(house: Path, *command: str) -> str:
    """Run Python in the copy, and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRAFFIC_", "GITHUB_"))}
    ran = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, *command],
        cwd=house,
        env={**environment, "PYTHONPATH": str(house), "TRAFFIC_HOME": str(house / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.slow
def test_a_row_of_the_table_is_enough_for_everything_that_follows_from_it(house: Path) -> None:
    """Its parameter, the function's environment and its reader, `traffic.toml`, `.env`, and the documentation."""
    found: dict[str, Any] = json.loads(run(house, "-c", SCRIPT).splitlines()[-1])

    assert found["parameter"] == {
        "Type": "String",
        "Default": "",
        "AllowedPattern": r"^\s*([A-Za-z0-9][A-Za-z0-9-]*\s*(,\s*[A-Za-z0-9][A-Za-z0-9-]*\s*)*)?$",
        "Description": "Captures only repositories in these languages, for example g*. Separated by commas.",
        "ConstraintDescription": "Expected: topics such as machine-learning, separated by commas.",
    }
    assert found["environment"] == {
        "lambdas.list_repos.handler.lambda_handler": {"Ref": "Languages"},
        "lambdas.fetch_traffic.handler.lambda_handler": None,
        "lambdas.store_traffic.handler.lambda_handler": None,
        "lambdas.summarize_run.handler.lambda_handler": None,
    }
    assert found["deployed"] == ["python", "go"]
    assert (found["file"], found["env"], found["typed"]) == ("python,go", "go", "rust")
    assert found["row"] == (
        "| `TRAFFIC_LANGUAGES` | `Languages` | `languages` | - |"
        r" Captures only repositories in these languages, for example g\*. |"
    )


@pytest.mark.slow
def test_the_commands_show_a_new_setting(house: Path) -> None:
    """`traffic settings` lists it with its source, and `traffic --help` names its variable."""
    main = "import sys; from cli.main import main; sys.exit(main())"

    assert "languages\tgo\t.env\n" in run(house, "-c", main, "settings")
    assert " TRAFFIC_LANGUAGES," in " ".join(run(house, "-c", main, "--help").split())
