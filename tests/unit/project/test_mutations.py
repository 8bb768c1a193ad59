"""`make check-mutations` takes minutes; that its mutations can still be made is seen at once."""

import pytest

from tests.check_mutations import MUTATIONS, ROOT, Mutation, module_path


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_the_code_that_keeps_a_rule_stands_once_where_the_mutation_looks_for_it(mutation: Mutation) -> None:
    """A rule whose code moved on would no longer be broken, and nobody would see that no test holds it."""
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.right) == 1
    for module in mutation.tests.split():
        assert module_path(module).is_file()
