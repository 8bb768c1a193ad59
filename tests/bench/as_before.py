"""The pipeline as it was before it kept GitHub's limits of a minute by itself, to measure ours beside it.

Above 200 repositories four children ran at once, each with 25 repositories, which it asked for one after another and
without a pace. Whoever met a limit waited as GitHub said.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from local.synthesis import synthesize
from tests.integration.pipeline import ASSEMBLY

# Code that is added to the deployed modules. Each of it replaces something that the module defines.
CHANGED: Mapping[str, str] = {
    "lambdas/list_repos/due.py": """
def are_few(*_):
    return True
def plan_singles(asked):
    every = [repository for repositories in asked.values() for _, repository in repositories]
    return [{"repositories": every[first : first + 25]} for first in range(0, len(every), 25)]
""",
    "lambdas/fetch_traffic/batch.py": """
TOGETHER = 1
""",
    "traffic/github/pace.py": """
class Pace(Pace):
    def pause(self, calls, now):
        return 0.0
""",
}


@contextmanager
def assembly_as_before() -> Iterator[Path]:
    """Synthesize the template with functions as before; yield the folder.

    Raises:
        ValueError: The module does not define what is replaced.
    """
    with TemporaryDirectory() as home:
        assembly = Path(home) / "assembly"
        shutil.copytree(synthesize(ASSEMBLY), assembly)
        for path, code in CHANGED.items():
            (module,) = assembly.glob(f"asset.*/{path}")
            text = module.read_text()
            for name in re.findall(r"^(?:def |class )?(\w+)", code, re.MULTILINE):
                if not re.search(rf"^(?:def |class )?{name}\b", text, re.MULTILINE):
                    raise ValueError(f"{path} defines no {name}")
            module.write_text(f"{text}\n{code}")
        yield assembly
