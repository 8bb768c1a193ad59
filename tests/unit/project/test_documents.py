"""Promise: the documents name every command, setting, error and outcome, and nothing that does not exist."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click import Context, Option

from cli.main import traffic
from cli.settings.local_settings import HOME, TOKEN
from cli.settings.settings_file import SETTINGS_FILE, read_settings_file
from lambdas.store_traffic.receipts import CONFLICT
from lambdas.summarize_run import outcome
from lambdas.summarize_run.message import CURES
from tests.documents import ALL, PAGES, README, ROOT, anchors, commands, examples, section
from tests.infrastructure.conftest import template_at_hand
from tests.infrastructure.house import house
from tests.infrastructure.test_definition import DEATHS
from traffic import errors
from traffic.github import answers
from traffic.github.answers import CAPTURED
from traffic.settings import API_ADDRESSES, FILE_SETTINGS, markdown_table

DEFINITION = json.loads((ROOT / "statemachine" / "capture_traffic.asl.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def template() -> Mapping[str, Any]:
    """Return the template."""
    return template_at_hand()


def first_cells(part: str, column: int = 0) -> set[str]:
    """Return the cells of a column of all tables in a text."""
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    names = {row[column].strip() for row in rows if len(row) > column}
    return {name for name in names if name and not set(name) <= {"-", " "}}


def coded(part: str, column: int = 0) -> set[str]:
    """Return the names in code style in a column of all tables in a text."""
    return {name for cell in first_cells(part, column) for name in re.findall(r"`([^`]+)`", cell)}


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every state with its name, also the states inside of Maps."""
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


def arrows_of(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the states that follow a state, each with its arrow in the picture."""
    for follow in [state, *state.get("Choices", [])]:
        yield from (("-->", follow[field]) for field in ("Next", "Default") if field in follow)
    yield from (("-.->", catch["Next"]) for catch in state.get("Catch", []))


def test_the_picture_shows_every_state_and_every_transition() -> None:
    """A wrong picture is worse than no picture."""
    (picture,) = re.findall(r"```mermaid\n(.*?)```", README, re.DOTALL)
    names = dict(re.findall(r"(\w+)(?:\[|\{|\(\[)\"([^\"]+)\"(?:\]|\}|\]\))", picture))
    bare = re.sub(r"(?:\(\[|\[|\{)\"[^\"]+\"(?:\]\)|\]|\})|\|[^|]+\|", "", picture)
    drawn = {(names[start], arrow, names[end]) for start, arrow, end in re.findall(r"(\w+) (-->|-\.->) *(\w+)", bare)}

    assert set(names.values()) == {name for name, _ in states(DEFINITION)}
    assert drawn == {(name, *arrow) for name, state in states(DEFINITION) for arrow in arrows_of(state)}


def test_every_command_is_in_the_readme() -> None:
    """A stranger decides by this list whether the program does what they need."""
    assert coded(section("README.md", "Commands")) == set(traffic.commands)


def test_every_make_target_is_named() -> None:
    """Nobody uses a target that no document names, and a target that no longer exists misleads readers."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert {f"make {target}" for target in targets} == coded(section("docs/develop.md", "Develop"))


def test_every_command_and_option_is_named() -> None:
    """Readers search the table before they use `--help`."""
    page = PAGES["docs/commands.md"]
    assert coded(section("docs/commands.md", "Commands")) == {f"traffic {name}" for name in traffic.commands}
    for name in traffic.commands:
        _, command, _ = traffic.resolve_command(Context(traffic), [name])
        assert command
        for option in (parameter for parameter in command.params if isinstance(parameter, Option)):
            assert f"`{option.opts[0]}`" in page, f"traffic {name} {option.opts[0]}"


def test_every_setting_is_named() -> None:
    """Readers look for settings only on this page."""
    named = {name for name in coded(section("docs/settings.md", "All settings")) if name.isupper()}

    assert named == {each.variable for each in FILE_SETTINGS if each.local} | {TOKEN, HOME}


def test_the_page_of_settings_holds_the_table_that_the_code_follows() -> None:
    """To update the page: `python -c "from traffic.settings import markdown_table; print(markdown_table())"`."""
    lines = [line for line in section("docs/settings.md", "All settings").splitlines() if line.startswith("|")]

    assert "\n".join(lines) == markdown_table()


def test_every_key_of_the_settings_file_is_named() -> None:
    """The key is in the row of its parameter, so that both have the same description."""
    rows = [
        line.split("|") for line in section("docs/settings.md", "All settings").splitlines() if line.startswith("|")
    ]
    named = {(key[2].strip(" `"), key[3].strip(" `")) for key in rows if key[3].strip().startswith("`")}

    assert named - {("stack parameter", "traffic.toml")} == {(each.parameter, each.key) for each in FILE_SETTINGS}


def test_the_settings_file_shown_is_one_that_is_read(tmp_path: Path) -> None:
    """Many users start with a copy of the example."""
    (example,) = examples("toml")
    (tmp_path / SETTINGS_FILE).write_text(example, encoding="utf-8")

    read = read_settings_file(tmp_path / SETTINGS_FILE)

    assert (read["owners"].value, read["summary-mail"].value) == ("octo-org,octo", "weekly")


def test_no_document_types_a_token_into_a_command() -> None:
    """Shells keep what is typed, and other users of the machine can read the arguments of a running program."""
    typed = [each for each in commands() if re.search(r"(GITHUB_TOKEN|GitHubAccessToken)=(?!none\b)\S|gh[a-z]+_", each)]

    assert typed == []
    assert {name: found for name, text in PAGES.items() if (found := re.findall(r"GitHubAccessToken=\S+", text))} == {
        "README.md": ["GitHubAccessToken=none"],
        "docs/deploy.md": ["GitHubAccessToken=none"],
    }


@pytest.mark.parametrize("page", ["README.md", "docs/deploy.md"])
def test_a_deployment_without_a_token_is_followed_by_the_token_and_the_warning(page: str) -> None:
    """Until the token is entered, each run fails; a later deployment with a value would overwrite every token."""
    text = PAGES[page]
    rule = re.search(r"[Ll]eave `GitHubAccessToken` out of every later `cdk deploy`", text)

    assert rule
    steps = ("GitHubAccessToken=none", ".venv/bin/traffic token --aws\n", ".venv/bin/traffic run --aws")
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    assert places[0] < rule.start()


def test_the_node_that_is_asked_for_is_one_that_cdk_supports() -> None:
    """CDK's command line supports 22 and 24; its support of 20 ended in October 2026.

    Source:
        https://docs.aws.amazon.com/cdk/v2/guide/node-versions.html
    """
    asked = re.findall(r"Node\.js (\d+) or later", ALL)

    assert [int(version) for version in asked] == [22, 22]


def test_every_stack_parameter_is_named(template: Mapping[str, Any]) -> None:
    """Users choose parameters from this table."""
    assert coded(section("docs/settings.md", "All settings"), column=1) == set(template["Parameters"])


def test_every_stack_output_is_named(template: Mapping[str, Any]) -> None:
    """CloudFormation shows the outputs, and docs/deploy.md explains them."""
    assert coded(section("docs/deploy.md", "The stack")) == set(template["Outputs"])


def test_every_error_is_explained() -> None:
    """Users who see an error's name search the documents for it."""
    classes = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "lambdas" / "summarize_run").glob("*.py")]
    of_the_summary = {name for source in sources for name in re.findall(r"\"(\w+Error)\"", source)}
    explained = coded(section("docs/troubleshooting.md", "Errors"))

    assert classes | of_the_summary == {name for name in explained if name.endswith("Error") and "." not in name}


def test_every_end_of_a_function_is_explained_and_has_a_cure() -> None:
    """These errors have AWS's names, which do not show what to do."""
    ends = {name for name in CURES if "." in name}

    assert ends == {
        name for name in coded(section("docs/troubleshooting.md", "Errors")) if re.fullmatch(r"[A-Z]\w+\.\w+", name)
    }
    assert ends == {*DEATHS, "States.Timeout"}


def test_every_outcome_is_explained() -> None:
    """The summary has an outcome for each repository that was not captured."""
    constants = [*inspect.getmembers(answers), *inspect.getmembers(outcome)]
    texts = {value for name, value in constants if name.isupper() and isinstance(value, str)}
    others = {answers.API_VERSION, answers.SUPPORTED_UNTIL, answers.NOT_GITHUBS, API_ADDRESSES, CAPTURED}

    explained = first_cells(section("docs/troubleshooting.md", "Repositories that were not captured"))
    assert (texts | {CONFLICT}) - others <= explained


LINKS = [(page, target) for page, text in PAGES.items() for target in re.findall(r"\]\((?!https://)([^)]+)\)", text)]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_what_is_linked_exists(page: str, target: str) -> None:
    """A dead link costs a reader's trust."""
    path, _, anchor = target.partition("#")
    linked = (ROOT / page).parent / path if path else ROOT / page

    assert linked.exists()
    assert not anchor or anchor in anchors(str(linked.resolve().relative_to(ROOT)))


FOLDERS = ("traffic", "lambdas", "stacks", "statemachine", "local", "simulated_github", "cli", "docs", "tests")
PATHS = [
    (page, path)
    for page, text in PAGES.items()
    for path in re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)[`:]", text)
]


@pytest.mark.parametrize(("page", "path"), sorted(set(PATHS)))
def test_every_path_in_a_document_exists(page: str, path: str) -> None:
    """A path that is gone sends a reader to the wrong place."""
    assert (ROOT / path).exists(), f"{page} names {path}"


def test_every_folder_is_explained() -> None:
    """A stranger finds the room to open by this list."""
    explained = {path.rstrip("/") for page, path in PATHS if page == "docs/develop.md"}

    assert explained >= set(FOLDERS)


# What to read for three questions, and how many files may be needed for each.
ROUTES = {
    "The command `traffic show octo/docs`": 14,
    "One answer of GitHub, from fetch to table": 16,
    "The command `traffic verify`": 12,
}


@pytest.mark.parametrize("title", ROUTES)
def test_a_reader_opens_few_files(title: str) -> None:
    """A route through the code that is longer is not followed to its end."""
    entries = re.findall(r"^\d+\. (.+)$", section("docs/develop.md", title), re.MULTILINE)
    opened = [paths_in(entry) for entry in entries]

    assert 0 < len(opened) <= ROUTES[title]
    assert all(len(paths) == 1 for paths in opened), "an entry that names two files counts one too few"
    assert len(set(map(tuple, opened))) == len(opened)


@pytest.mark.parametrize("title", ROUTES)
def test_a_route_names_every_file_that_its_files_import(title: str) -> None:
    """A reader is sent to each of them, or the page says why it is not needed."""
    route = section("docs/develop.md", title)
    named = {*paths_in(route), *paths_in(section("docs/develop.md", "What to read, in order"))}
    listed = [path for line in re.findall(r"^\d+\. .+$", route, re.MULTILINE) for path in paths_in(line)]
    modules = [path.removesuffix(".py").replace("/", ".") for path in listed if path.endswith(".py")]
    needed = {name.replace(".", "/") + ".py" for module in modules for name in house()[module]}

    assert needed - named == set()


def paths_in(text: str) -> list[str]:
    """Return the files of the code that a text names."""
    return re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*\.\w+)`", text)


@pytest.mark.parametrize("page", sorted(set(PAGES) - {"README.md"}))
def test_every_page_is_one_click_from_the_readme(page: str) -> None:
    """A page that the README does not link is not found."""
    assert f"]({page})" in README


def test_the_readme_is_short() -> None:
    """A stranger reads it to the end; everything else has a page in docs/."""
    assert len(README.splitlines()) <= 180
