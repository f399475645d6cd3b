"""The page on security says what was measured."""

import pytest

from docs.tables.security import PAGES, rendered


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_tables_are_those_of_the_benchmarks(page):
    text = page.read_text()
    assert ":begin -->" in text
    assert rendered(text) == text
