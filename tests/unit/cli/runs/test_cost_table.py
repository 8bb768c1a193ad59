"""Promise: the cost table in docs/cost.md is what `traffic cost` counts with, and each number in it has a source."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from cli.runs import cost_table, prices
from cli.runs.prices import Amount, Price
from tests.bench.cost import our_cost

ROOT = Path(__file__).parents[4]

PRICES = {name: value for name, value in vars(prices).items() if isinstance(value, Price)}
AMOUNTS = {name: value for name, value in vars(prices).items() if isinstance(value, Amount)}

# What `cost_table.py` may say in numbers: counting, days, bytes in a unit and in a gigabyte, and the sizes it shows.
PLAIN = {0, 1, 2, 3, 30, 365, 1024, 4096, *cost_table.SIZES}


def test_the_page_shows_the_table() -> None:
    """`python -m cli.runs.cost_table` prints it: after a change of price or amount, it goes into docs/cost.md."""
    assert cost_table.cost_table() in (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")


ROUND = cost_table.transitions(children=1, rounds=2) - cost_table.transitions(children=1, rounds=1)
SINGLE = cost_table.transitions(children=1, rounds=1) - prices.RUN_STATES.value


@pytest.mark.parametrize(
    "sentence",
    [
        f"{prices.RUN_STATES.value} states of the run and {SINGLE} of each child with one repository",
        f"Up to {prices.SINGLES.value} repositories have a child each",
        f"in batches of {prices.BATCH.value}, with {ROUND} states for each batch and for each pause",
        f"at {prices.CALLS_A_MINUTE.value} calls a minute",
        f"Fetch traffic has {prices.MEMORY['FetchTraffic']} MB",
        f"List repositories and Store traffic have {prices.MEMORY['ListRepos']} MB",
        f"Summarize run has {prices.MEMORY['SummarizeRun']:,} MB",
        f"In a run of {prices.UNRESTED.value + 1} to {prices.SINGLES.value} repositories",
        f"until Fetch traffic has lasted {prices.RESTED.value} seconds",
        f"takes {cost_table.writes(1, changed_days=1)} write units a day",
        f"and {prices.REPOSITORY_READS.value} read units",
        f"a batch writes {prices.ROUND_PUTS.value} objects and reads {prices.ROUND_GETS.value}",
        f"{(prices.DAY_BYTES.value + prices.SNAPSHOT_BYTES.value) / 1024:.1f} KB a day for each repository in the",
        f"and {(prices.ANSWERS_BYTES.value + prices.LISTED_BYTES.value) / 1000:.1f} KB in the archive",
        f"A secret costs ${prices.SECRET.dollars:.2f}, an alarm ${prices.ALARM.dollars:.2f}",
    ],
)
def test_what_the_page_explains_about_the_table_follows_from_the_same_constants(sentence: str) -> None:
    """A sentence is forgotten more easily than a table."""
    assert sentence in (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PRICES)
def test_each_price_names_the_list_it_is_from_and_is_charged(name: str) -> None:
    """A price without a source cannot be checked, and one that no row uses is not counted."""
    price = PRICES[name]
    charged = {each for of in cost_table.ROWS.values() for each in of} | set(cost_table.KEPT)

    assert re.fullmatch(r"https://aws\.amazon\.com/[a-z0-9/-]+/pricing/([a-z-]+/)?", price.source)
    assert price in charged


@pytest.mark.parametrize("name", AMOUNTS)
def test_each_amount_names_what_measured_it_and_changes_the_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that nothing measures ages unseen."""
    amount, before = AMOUNTS[name], exact()
    source = amount.source.partition(",")[0]
    monkeypatch.setattr(prices, name, replace(amount, value=amount.value * 2))

    assert (ROOT / source).is_file()
    assert exact() != before


def test_the_benchmarks_compare_with_the_same_constants() -> None:
    """Otherwise two pages would name two prices for the same thing."""
    assert f"| ours | {our_cost():.2f} |" in (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


def exact() -> list[float]:
    """Price what a month uses, to the last digit."""
    months = [{**cost_table.used_by_month(size), **cost_table.kept(size, 1)} for size in (60, 300, *cost_table.SIZES)]
    # What stays below the free amount is counted, too.
    return [amount for month in months for amount in month.values()]


def test_no_number_of_the_table_hides_in_its_code() -> None:
    """All of them are constants of `prices.py`."""
    tree = ast.parse((ROOT / "cli" / "runs" / "cost_table.py").read_text(encoding="utf-8"))
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))

    assert {value for value in constants if isinstance(value, int | float)} <= PLAIN
