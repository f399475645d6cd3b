"""What benchmarks write into docs/scale.md."""

import re

from benchmarks.clean_copy import ROOT

PAGE = ROOT / "docs" / "scale.md"


def write_between(name, content):
    """Put a table between the markers of its name."""
    pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
    text = PAGE.read_text()
    text = re.sub(pattern, lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.DOTALL)
    PAGE.write_text(text)
