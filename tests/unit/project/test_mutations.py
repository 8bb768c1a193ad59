"""Promise: every mutation of `make check-mutations` still fits the code. The mutations themselves take minutes."""

import pytest

from tests.check_mutations import MUTATIONS, ROOT, Mutation, module_path


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_a_mutation_finds_its_code_once_and_its_tests(mutation: Mutation) -> None:
    """If the code has moved, the mutation breaks nothing, and nobody sees whether a test protects the rule."""
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.right) == 1
    for module in mutation.tests.split():
        assert module_path(module).is_file()
