"""The house as its imports show it: which module imports which, and how many files a reader opens one below another.

`python -m tests.infrastructure.house` prints the longest chains.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("traffic", "lambdas", "stacks", "local", "simulated_github", "cli")


def imports(path: Path) -> Iterator[str]:
    """Return every module, or name of a module, that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute, so that arrows can be seen"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources(folder: str) -> list[Path]:
    """Return the Python files of a folder."""
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} has no sources"
    return found


@cache
def house() -> Mapping[str, Collection[str]]:
    """Return, for each module of the house, the modules of the house that it imports."""
    modules = {_module(path): path for package in PACKAGES for path in sources(package)}
    return {
        name: {known for each in imports(path) if (known := _known(each, modules)) not in (None, name)}
        for name, path in modules.items()
    }


def _known(name: str, modules: Collection[str]) -> str | None:
    """Return the module that a name is, or is in; None if it is not of the house."""
    return next((each for each in (name, name.rpartition(".")[0]) if each in modules), None)


def longest_chain(graph: Mapping[str, Collection[str]]) -> list[str]:
    """Return the longest chain of modules in which each imports the next.

    Raises:
        AssertionError: Modules import each other in a circle.
    """
    chains: dict[str, list[str]] = {}

    def chain(name: str, above: tuple[str, ...] = ()) -> list[str]:
        assert name not in above, f"a circle: {above} {name}"
        if name not in chains:
            below = [chain(each, (*above, name)) for each in sorted(graph[name]) if each in graph]
            chains[name] = [name, *max(below, key=len, default=[])]
        return chains[name]

    return max((chain(name) for name in sorted(graph)), key=len)


def within(package: str) -> Mapping[str, Collection[str]]:
    """Return the imports among the modules of one package."""
    return {
        name: {each for each in known if _is_in(each, package)}
        for name, known in house().items()
        if _is_in(name, package)
    }


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


if __name__ == "__main__":
    for title, graph in {"house": house(), **{package: within(package) for package in PACKAGES}}.items():
        found = longest_chain(graph)
        print(f"{title}: {len(found)} files deep: {' > '.join(found)}")  # noqa: T201
