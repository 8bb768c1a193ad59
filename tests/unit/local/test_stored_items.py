import stat
from decimal import Decimal
from pathlib import Path

import pytest

from local.stored_history import StoredTable
from local.stored_items import RawItem, open_tables, to_text

DAYS: list[RawItem] = [
    {"repo-name": {"S": name}, "timestamp": {"S": f"2026-11-{day:02}T00:00:00Z"}, "views-count": {"N": str(day)}}
    for name in ("octo/b", "octo/a")
    for day in (3, 1, 2)
]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A file with two tables."""
    path = tmp_path / "tables.sqlite"
    put(path, "Days", DAYS, "repo-name", "timestamp")
    repositories: list[RawItem] = [
        {
            "id": {"S": "1"},
            "names": {"M": {"a": {"L": [{"N": "1.5"}, {"BOOL": True}]}}},
            "owners": {"SS": ["octo"]},
        },
        {"id": {"S": "name octo/a"}, "ids": {"SS": ["1"]}},
    ]
    put(path, "Repositories", repositories, "id")
    return path


def put(path: Path, table: str, items: list[RawItem], partition: str, sort: str = "") -> None:
    """Write items of one table."""
    database = open_tables(path)
    for item in items:
        row = (table, item[partition]["S"], item[sort]["S"] if sort else "", to_text(item))
        database.execute("INSERT INTO items VALUES (?, ?, ?, ?)", row)
    database.close()


def test_a_scan_reads_one_table_in_the_order_of_its_keys(tables: Path) -> None:
    """Readers merge tables without sorting them."""
    rows = [(row["repo-name"]["S"], row["views-count"]["N"]) for row in StoredTable(tables, "Days").scan()]

    assert rows == [
        ("octo/a", "1"),
        ("octo/a", "2"),
        ("octo/a", "3"),
        ("octo/b", "1"),
        ("octo/b", "2"),
        ("octo/b", "3"),
    ]


def test_a_scan_reads_the_attributes_that_were_asked_for(tables: Path) -> None:
    """Like DynamoDB's projection and filter."""
    found = list(StoredTable(tables, "Repositories").scan(["id", "owners"], having="owners"))

    assert found == [{"id": {"S": "1"}, "owners": {"SS": ["octo"]}}]


def test_a_query_reads_from_one_sort_key_to_another(tables: Path) -> None:
    """Both ends included, and the keys are read with the attributes."""
    table = StoredTable(tables, "Days")
    begin = {"timestamp": "2026-11-02T00:00:00Z"}

    to_the_end = [row["views-count"]["N"] for row in table.query({"repo-name": "octo/a"}, begin)]
    one_day = list(table.query({"repo-name": "octo/a"}, begin, ["other"], end="2026-11-02T00:00:00Z"))

    assert to_the_end == ["2", "3"]
    assert one_day == [{"repo-name": {"S": "octo/a"}, "timestamp": {"S": "2026-11-02T00:00:00Z"}}]


def test_items_have_the_types_of_python(tables: Path) -> None:
    """The same types as through DynamoDB's API."""
    table = StoredTable(tables, "Repositories")

    assert table.item({"id": "1"}) == {"id": "1", "names": {"a": [Decimal("1.5"), True]}, "owners": {"octo"}}
    assert table.item({"id": "2"}) == {}
    assert [item["id"] for item in table.every_item()] == ["1", "name octo/a"]
    day = {"repo-name": "octo/b", "timestamp": "2026-11-03T00:00:00Z"}
    assert StoredTable(tables, "Days").items([day, {**day, "repo-name": "octo/c"}]) == [{**day, "views-count": 3}]


def test_a_reader_sees_what_is_written_after_it_opened_the_file(tables: Path) -> None:
    """The engine writes while others read."""
    table = StoredTable(tables, "Repositories")
    assert table.item({"id": "3"}) == {}

    put(tables, "Repositories", [{"id": {"S": "3"}}], "id")

    assert table.item({"id": "3"}) == {"id": "3"}


def test_only_the_owner_can_read_the_file(tables: Path) -> None:
    """The other files of the engine contain the token; none of them is for others."""
    assert stat.S_IMODE(tables.stat().st_mode) == 0o600


def test_pages_are_the_texts_of_a_table_in_the_order_of_its_keys(tables: Path) -> None:
    """Whoever reads a million items has no time to convert each."""
    texts = [text for page in StoredTable(tables, "Days").pages() for text in page]
    later = [text for page in StoredTable(tables, "Days").pages({"timestamp": "2026-11-02"}) for text in page]

    ordered = sorted(DAYS, key=lambda item: (item["repo-name"]["S"], item["timestamp"]["S"]))
    assert texts == list(map(to_text, ordered))
    assert later == [text for text in texts if "2026-11-01" not in text]


def test_a_write_sets_attributes_and_keeps_the_others(tables: Path) -> None:
    """The item is then as DynamoDB's API writes it, whatever wrote it."""
    table, key = StoredTable(tables, "Days"), {"repo-name": "octo/a", "timestamp": "2026-11-01T00:00:00Z"}
    read = table.item(key)
    update = {"repo-id": 7, "views-complete": True, "names": {"octo/a": {"first": "2026"}}, "ids": {"2", "1"}, "l": [1]}

    assert table.write(key, read, update)

    assert table.item(key) == {**read, **update}
    assert next(table.query({"repo-name": "octo/a"}, {"timestamp": "2026"}))["ids"] == {"SS": ["1", "2"]}
    assert table.write({"repo-name": "octo/new", "timestamp": "2026"}, {}, {"n": 1})
    assert table.partitions("repo-name") == {"octo/a", "octo/b", "octo/new"}


@pytest.mark.parametrize("others", [{"views-count": 9}, {"repo-id": 8}])
def test_a_write_is_refused_if_what_it_depends_on_has_changed(tables: Path, others: dict[str, int]) -> None:
    """As by the condition of ItemTable: the attributes to set, and the repository's id."""
    table, key = StoredTable(tables, "Days"), {"repo-name": "octo/a", "timestamp": "2026-11-01T00:00:00Z"}
    assert table.write(key, table.item(key), {"repo-id": 7})
    read = table.item(key)
    assert StoredTable(tables, "Days").write(key, read, others)

    assert not table.write(key, read, {"views-count": 5})
    assert table.item(key) == {**read, **others}
    assert table.write(key, table.item(key), {"views-count": 5})


def test_a_write_that_fails_changes_nothing_and_the_next_one_works(tables: Path) -> None:
    """An interrupted rebuild must not leave the file locked for the engine."""
    table, key = StoredTable(tables, "Days"), {"repo-name": "octo/a", "timestamp": "2026-11-01T00:00:00Z"}
    before = table.item(key)
    with pytest.raises(TypeError):
        table.write(key, {}, {"n": object()})
    assert table.item(key) == before

    assert StoredTable(tables, "Days").write(key, {}, {"n": 1}), "nobody holds the file's lock"
