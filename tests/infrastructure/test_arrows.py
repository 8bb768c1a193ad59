"""Promise: the parts of the house know of each other what the design says, and no more."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Who may import whom. What is deployed knows nothing of how it is run without AWS; the simulated GitHub nothing of us.
ARROWS: dict[str, set[str]] = {
    "stacks": set(),
    "lambdas": set(),
    "simulated_github": set(),
    "local": set(),
    "cli": {"local", "lambdas", "simulated_github"},
}
SHARED = ["lambdas", "shared"]
STEPS = {"list_repos", "fetch_traffic", "store_traffic", "summarize_run"}

# The rules of the record and GitHub's answers: the same in every test and every year, so clocks are arguments.
PURE = (
    "answer_lines",
    "api_address",
    "api_version",
    "answers",
    "clock",
    "contract",
    "errors",
    "items",
    "merge",
    "planning",
    "rate_limit",
    "snapshot",
    "spans",
    "traffic",
    "token_owners",
)
# The demonstration's past is captured by the code that captures, not by an imitation; their settings are arguments.
CAPTURING = [["lambdas", "fetch_traffic", "batch"], ["lambdas", "shared", "archive"], ["lambdas", "shared", "github"]]
RECORD = ["lambdas", "store_traffic", "record"]  # what an archive object says; pure too, and `traffic verify` asks it
IMPURE = {"boto3", "botocore", "requests", "os", "time", "random"}

# On Lambda, beside its own code: the runtime's SDK and lambdas/requirements.txt.
ON_LAMBDA = {"boto3", "botocore", "requests", "urllib3", "aws_lambda_powertools"}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute, so that arrows can be seen"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources(folder: str) -> list[Path]:
    """The Python files of a folder."""
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} has no sources"
    return found


@pytest.mark.parametrize("package", sorted(ARROWS))
def test_a_package_imports_only_what_its_arrows_lead_to(package: str) -> None:
    """What is deployed must not drag in the local engine, nor the engine the command line."""
    for path in sources(package):
        known = {name.partition(".")[0] for name in imports(path)} & ARROWS.keys()
        assert known <= ARROWS[package] | {package}, path


@pytest.mark.parametrize("step", sorted(STEPS))
def test_no_lambda_imports_another(step: str) -> None:
    """Each step can be read, tested and changed alone; what two of them share lies in lambdas/shared."""
    for path in sources(f"lambdas/{step}"):
        known = {name.split(".")[1] for name in imports(path) if name.startswith("lambdas.")}
        assert known <= {step, "shared"}, path


def test_what_the_lambdas_share_knows_no_lambda() -> None:
    """Otherwise every step would bring the others along."""
    for path in sources("lambdas/shared"):
        assert {name.split(".")[1] for name in imports(path) if name.startswith("lambdas.")} <= {"shared"}, path


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_touch_neither_clock_nor_network_nor_environment(module: str) -> None:
    """The rules that decide what is kept for good must give the same answer every time."""
    names = set(imports(ROOT / "lambdas" / "shared" / f"{module}.py"))
    shared = {name.split(".")[2] for name in names if name.startswith("lambdas.shared.")}

    assert not {name.partition(".")[0] for name in names} & IMPURE
    assert shared <= set(PURE), "a pure module that imports another is as pure as that one"


def test_the_commands_know_only_the_pure_part_of_the_lambdas() -> None:
    """A command works on a deployment through AWS's API; the functions' own clients and settings are not its own."""
    for path in sources("cli"):
        known = [name.split(".")[:3] for name in imports(path) if name.startswith("lambdas")]
        if path.name == "demo.py":
            known = [parts for parts in known if parts not in CAPTURING]
        assert all(parts == RECORD or (parts[:2] == SHARED and parts[2] in PURE) for parts in known), path


def test_the_functions_import_only_what_their_zip_or_their_runtime_holds() -> None:
    """A module that happens to be installed here is missing in Lambda: aws_cdk, ministack, a test's helper."""
    for path in sources("lambdas"):
        for name in {name.partition(".")[0] for name in imports(path)}:
            assert name in ON_LAMBDA | {"lambdas"} or name in sys.stdlib_module_names, f"{path} imports {name}"


def test_stacks_read_the_lambdas_and_the_definition_as_files() -> None:
    """Synthesis must not run the functions' code, which wants an environment."""
    for path in sources("stacks"):
        assert not {name.partition(".")[0] for name in imports(path)} & {"lambdas", "statemachine"}, path
