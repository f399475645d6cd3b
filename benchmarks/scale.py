"""What benchmarks of scale share: docs/scale.md, and the memory of a process."""

import re
from pathlib import Path

from benchmarks.clean_copy import ROOT

PAGE = ROOT / "docs" / "scale.md"


def write_between(name, content):
    """Put a table between the markers of its name."""
    pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
    text = PAGE.read_text()
    text = re.sub(pattern, lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.DOTALL)
    PAGE.write_text(text)


def peak_mb():
    """The most memory this process has had; ``ru_maxrss`` begins with that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
