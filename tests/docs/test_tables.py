"""The marked regions of README.md and docs/ are rendered from templates."""

import pytest
from jinja2 import TemplateNotFound

from docs.tables import render as tables
from tests.imports import ROOT


def test_every_page_is_rendered_from_the_committed_figures():
    for page in tables.PAGES:
        text = page.read_text()
        assert tables.render_page(text) == text, f"{page}: run make readme"


def test_every_template_is_used_by_a_page():
    used = {name for page in tables.PAGES for _, name, _ in tables.REGION.findall(page.read_text())}
    assert used == {path.name.split(".")[0] for path in (ROOT / "docs/tables").glob("*.md.j2")}


def test_a_region_is_replaced_and_the_text_around_it_is_kept():
    page = "Before.\n<!-- result:begin -->\nold\n<!-- result:end -->\nAfter.\n"
    lines = tables.render_page(page).splitlines()
    assert lines[:2] == ["Before.", "<!-- result:begin -->"]
    assert lines[2].startswith("On ")
    assert lines[-2:] == ["<!-- result:end -->", "After."]


def test_a_region_without_a_template_is_an_error():
    with pytest.raises(TemplateNotFound, match="unknown"):
        tables.render_page("<!-- unknown:begin -->\n<!-- unknown:end -->\n")


def test_a_paragraph_is_wrapped_without_separating_a_percent_sign():
    lines = tables.wrap_text("a" * 96 + " 48 % of " + "b " * 50).splitlines()
    assert lines[0] == "a" * 96 and lines[1].startswith("48 % of b")
    assert max(map(len, lines)) <= 100


def test_search_is_extrapolated_by_a_part_per_photo_and_a_part_per_pair():
    # CPU time 2 n + 0.5 n², memory 100 + n.
    sizes = {n: {"cpu_s": 2 * n + 0.5 * n**2, "peak_mb": 100 + n} for n in (10, 20)}
    assert tables.extrapolate_search(sizes, 40) == pytest.approx((880, 140))
