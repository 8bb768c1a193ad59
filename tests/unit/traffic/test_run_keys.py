"""Promise: a run writes into its own folder of the archive bucket, whatever the execution's name is."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traffic import contract

ROOT = Path(__file__).parents[3]

FOLDERS = ("traffic", "lambdas", "cli", "local")

HOSTILE = ["..", ".", "../../x", "a/../b", "a//b", "%2E%2E", "a b", "\u202e", "x" * 80, "?", "#", "a\nb"]

EXAMPLES: dict[str, Any] = {"part": 1, "owner": "../octo"}  # values for the other parameters of a key, by name


def makers() -> dict[str, Callable[[str], str]]:
    """Return every function that makes a key or prefix of a run: its first parameter is the run's id."""
    found: dict[str, Callable[[str], str]] = {}
    for name, function in inspect.getmembers(contract, inspect.isfunction):
        first, *others = inspect.signature(function).parameters
        if first == "run_id" and function is not contract.run_folder:
            given = [EXAMPLES[other] for other in others]
            found[name] = lambda run_id, function=function, given=given: function(run_id, *given)  # type: ignore[misc]
    return found


@pytest.mark.parametrize("run_id", HOSTILE)
@pytest.mark.parametrize("name", makers())
def test_every_key_of_a_run_is_in_its_folder(name: str, run_id: str) -> None:
    """An execution can have the name `..`; on a disk that is the folder above.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (name)
    """
    key = makers()[name](run_id)
    root, folder, *rest = key.split("/")

    assert (root, folder) == ("runs", contract.run_folder(run_id))
    assert rest
    assert not {"", ".", ".."} & {root, folder, *(rest[:-1] if key.endswith("/") else rest)}


def test_no_two_runs_share_a_folder() -> None:
    """Otherwise a receipt of one run would count in the summary of the other."""
    assert len({contract.run_folder(run_id) for run_id in HOSTILE}) == len(HOSTILE)


def test_the_keys_of_a_run_are_made_in_one_place() -> None:
    """These tests do not see a key that is made elsewhere."""
    made = {
        str(file.relative_to(ROOT))
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"""f["']runs/""", file.read_text(encoding="utf-8"))
    }

    assert made == {"traffic/contract.py"}
    assert len(makers()) >= 8
