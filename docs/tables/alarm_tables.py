"""Tables of the drift alarm for docs/drift.md, from study/drift_power.json."""

import json

from study.repository import ROOT

SOURCES = {"synthetic": "synthetic", "archive": "real"}
SHIFTS = (
    *("grey, 100 %", "grey, 30 %", "swap, 30 %", "rotate, 100 %", "occlude, 30 %"),
    *("unknown, 20 %", "class-gone", "class-tripled", "season"),
)


def table(what, rows, told):
    """Rows of two figures, the old alarm's and the new one's, for each source."""
    heads = [f"{title}, {which}" for title in SOURCES.values() for which in ("old", "new")]
    lines = [f"| {what} | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for row in rows:
        figures = [told(source, row, which) for source in SOURCES for which in ("old", "new")]
        lines.append(f"| {row} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def tables():
    """Months with a false alarm, and shifts that ring, in percent."""
    figures = json.loads((ROOT / "benchmarks" / "alarms.json").read_text())
    months = table(
        "months with a false alarm (%)",
        figures["synthetic"]["false_alarms"],
        lambda source, row, which: f"{100 * figures[source]['false_alarms'][row][which]:.0f}",
    )
    shifts = table(
        "ring within 400, 1,000, 2,000 photos (%)",
        SHIFTS,
        lambda source, row, which: ", ".join(
            f"{100 * share:.0f}" for share in figures[source]["shifts"][row][which]
        ),
    )
    return f"{months}\n\n{shifts}"
