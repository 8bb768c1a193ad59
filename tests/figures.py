"""`python -m tests.figures COMMIT`: compares this version with an earlier one.

It prints the lines outside of tests and documents, the words that are hard to read, and the processor seconds in which
a new Python imports each function: the best of several rounds, in each of which both versions are measured.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.bench.start_up import TIMES, seconds
from tests.documents import ROOT
from tests.unit.project.test_plain_english import ALLOWED, FOLDERS, TEXTS, texts_of


def main(commit: str) -> None:
    """Print each figure of an earlier commit and of this version."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise, each import compiles what it reads
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "-C", ROOT, "archive", commit], capture_output=True, check=True).stdout  # noqa: S603, S607
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)  # noqa: S603, S607
        versions = (Path(folder), ROOT)
        counted = [figures(root) for root in versions]
        imports = import_seconds(versions)
    print(f"\t{commit}\tnow")  # noqa: T201
    for name in counted[1]:
        print(f"{name}\t{counted[0][name]}\t{counted[1][name]}")  # noqa: T201
    for name in sorted({name for _, name in imports}):
        print(f"import of {name}, ms\t" + "\t".join(f"{imports.get((each, name), 0) * 1000:.0f}" for each in versions))  # noqa: T201


def figures(root: Path) -> Counter[str]:
    """Count the lines of a version, and the words that are hard to read."""
    count = Counter({"lines": 0})
    for path in sources(root):
        text = path.read_text(encoding="utf-8")
        count["lines"] += len(text.splitlines())
        prose = "\n".join(each for _, each in texts_of(path)) if path.suffix == ".py" else text
        for word in ALLOWED:
            count[word] += len(re.findall(rf"\b{word}\b", prose, re.IGNORECASE))
    return count


def sources(root: Path) -> Iterator[Path]:
    """Yield the files of a version outside of tests and documents."""
    yield root / "app.py"
    for path in (path for folder in FOLDERS for path in (root / folder).rglob("*")):
        if path.suffix in (".py", *TEXTS):
            yield path


def import_seconds(versions: tuple[Path, ...]) -> dict[tuple[Path, str], float]:
    """Return the processor seconds of each version's functions, by version and name."""
    functions = ((root, path.parent.name) for root in versions for path in (root / "lambdas").glob("*/handler.py"))
    modules = {
        (root, name): f"import sys; sys.path.insert(0, {str(root)!r}); import lambdas.{name}.handler"
        for root, name in functions
    }
    rounds = [{each: seconds(code) for each, code in modules.items()} for _ in range(TIMES)]
    return {each: min(measured[each] for measured in rounds) for each in modules}


if __name__ == "__main__":
    main(sys.argv[1])
