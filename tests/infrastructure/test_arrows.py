"""Promise: the parts of the house know of each other what the design says, and no more."""

import ast
import sys
from collections import Counter

import pytest

from tests.infrastructure.house import PACKAGES, ROOT, house, imports, longest_chain, sources, within

# Who may import whom. What is deployed knows nothing of how it is run without AWS; the simulated GitHub nothing of us.
ARROWS: dict[str, set[str]] = {
    "traffic": set(),
    "stacks": {"traffic"},
    "lambdas": {"traffic"},
    "simulated_github": set(),
    "local": set(),
    "cli": {"traffic", "local", "lambdas", "simulated_github"},
}
STEPS = {"list_repos", "fetch_traffic", "store_traffic", "summarize_run"}

# The rules of the record and GitHub's answers: the same in every test and every year, so clocks are arguments.
PURE = (
    "clock",
    "contract",
    "deadline",
    "errors",
    "planning",
    "settings",
    "github.answers",
    "github.bodies",
    "github.pace",
    "github.rate_limit",
    "github.tokens",
    "record.expected",
    "record.merge",
    "record.reports",
    "record.spans",
)
# The demonstration's past is captured by the code that captures, not by an imitation.
DEMONSTRATION = ROOT / "cli" / "stack" / "demo.py"
IMPURE = {"boto3", "botocore", "requests", "os", "time", "random"}

# On Lambda, beside its own code: the runtime's SDK and lambdas/requirements.txt.
ON_LAMBDA = {"boto3", "botocore", "requests", "urllib3", "aws_lambda_powertools"}


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


def test_no_command_imports_another() -> None:
    """Each command can be read, tested and changed alone; what commands share is in the rooms beside them."""
    for path in sources("cli"):
        assert not {name for name in imports(path) if f"{name}.".startswith("cli.commands.")}, path


def test_a_reader_opens_few_files_one_below_another() -> None:
    """`python -m tests.infrastructure.house` prints the longest chains of imports."""
    assert len(longest_chain(house())) <= 11, longest_chain(house())
    assert len(longest_chain(within("cli"))) <= 7, longest_chain(within("cli"))


def test_what_the_lambdas_share_knows_no_lambda() -> None:
    """Otherwise every step would bring the others along."""
    for path in sources("lambdas/shared"):
        assert {name.split(".")[1] for name in imports(path) if name.startswith("lambdas.")} <= {"shared"}, path


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_touch_neither_clock_nor_network_nor_environment(module: str) -> None:
    """The rules that decide what is kept for good must give the same answer every time."""
    names = set(imports((ROOT / "traffic" / module.replace(".", "/")).with_suffix(".py")))
    known = {name.removeprefix("traffic.").rpartition(".")[0] for name in names if name.startswith("traffic.")}

    assert not {name.partition(".")[0] for name in names} & IMPURE
    assert known <= set(PURE), "a pure module that imports another is as pure as that one"


def test_the_commands_know_nothing_of_the_lambdas_but_the_demonstration() -> None:
    """A command works on a deployment through AWS's API; what it shares with the steps is the domain, in traffic/."""
    for path in sources("cli"):
        if path != DEMONSTRATION:
            assert not {name for name in imports(path) if name.startswith("lambdas.")}, path


def test_the_stacks_read_the_table_of_settings_alone() -> None:
    """What is deployed follows from the settings; the rest of the domain is the functions' business."""
    for path in sources("stacks"):
        known = {name for name in imports(path) if name.startswith("traffic.")}
        assert all(name.startswith("traffic.settings.") for name in known), path


def test_the_functions_import_only_what_their_zip_or_their_runtime_holds() -> None:
    """A module that happens to be installed here is missing in Lambda: aws_cdk, ministack, a test's helper."""
    for path in [*sources("lambdas"), *sources("traffic")]:
        for name in {name.partition(".")[0] for name in imports(path)}:
            assert name in ON_LAMBDA | {"lambdas", "traffic"} or name in sys.stdlib_module_names, (
                f"{path} imports {name}"
            )


def test_stacks_read_the_lambdas_and_the_definition_as_files() -> None:
    """Synthesis must not run the functions' code, which wants an environment."""
    for path in sources("stacks"):
        assert not {name.partition(".")[0] for name in imports(path)} & {"lambdas", "statemachine"}, path


def test_no_two_classes_and_no_two_files_have_one_name() -> None:
    """A reader who searches for a name finds one thing. Files of one name are the same thing in two rooms."""
    files = [path for package in PACKAGES for path in sources(package)]
    classes = Counter(
        node.name
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    names = Counter(path.name for path in files if not path.name.startswith("__"))

    assert [name for name, times in classes.items() if times > 1] == []
    assert sorted(name for name, times in names.items() if times > 1) == ["executions.py", "handler.py", "settings.py"]
