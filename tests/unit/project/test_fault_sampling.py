"""Promise: the fault matrix has every fault, and the parts that continuous integration runs cover all of it in time."""

import subprocess
import sys
from pathlib import Path

from simulated_github.faults import FAULTS
from tests.faults.aws_faults import DURATIONS, every_case, every_death
from tests.faults.github_faults import every_error
from tests.faults.sampling import group_of, sampled

ROOT = Path(__file__).parents[3]

GROUPS = {str(case): group_of("test", {"case": case}) or [] for case in [*every_case(), *every_death()]}


def test_the_matrix_has_every_fault_of_the_simulated_github() -> None:
    """Nobody knows what a run does with a fault that no test causes."""
    assert {error.fault.name for error in every_error("")} == FAULTS.keys()


def test_every_kind_of_fault_strikes_every_call_once() -> None:
    """A sample leaves out durations of faults, but never a fault or a call."""
    chosen = sampled(GROUPS, "0123abc")

    assert len(chosen) == len({tuple(group) for group in GROUPS.values()})
    assert {case.rpartition(",")[0] for case in chosen} == {case.rpartition(",")[0] for case in GROUPS}


def test_a_commit_always_chooses_the_same_cases_and_many_commits_choose_all() -> None:
    """So a failure can be repeated, and 60 commits run the complete matrix."""
    assert sampled(GROUPS, "a") == sampled(GROUPS, "a")

    seen: set[str] = set()
    for commit in map(str, range(60)):
        seen |= sampled(GROUPS, commit)

    assert seen == GROUPS.keys()


def test_each_duration_is_chosen_about_equally_often() -> None:
    """A choice that preferred short faults would hide the long ones."""
    chosen = sampled({str(case): group_of("test", {"case": case}) or [] for case in every_case()}, "0123abc")
    counts = [sum(case.endswith(f", {duration}") for case in chosen) for duration in DURATIONS]

    assert min(counts) > len(chosen) / 5


def test_a_sample_is_about_a_third_of_the_matrix_and_keeps_the_tests_of_the_matrix_itself() -> None:
    """Pytest reads the option, and tests that are not a case of the matrix always run."""
    command = [sys.executable, "-m", "pytest", "-m", "faults", "--collect-only", "-q", "-p", "no:cacheprovider"]
    listed = subprocess.run(  # noqa: S603
        [*command, "tests/faults", "--sampled-by", "0123abc"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    chosen, collected = (int(number) for number in listed[-1].split()[0].split("/"))

    assert collected / 3 <= chosen < collected * 0.42
    assert any("test_the_matrix_contains_exactly_the_calls_of_a_run" in line for line in listed)
