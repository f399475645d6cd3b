"""Write the marked regions of README.md, ARCHITECTURE.md and docs/: python -m docs.tables."""

from docs.tables.render import PAGES, render_page

if __name__ == "__main__":
    for page in PAGES:
        page.write_text(render_page(page.read_text()))
