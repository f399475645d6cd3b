"""A matplotlib figure as SVG, the same bytes for the same figure."""

import io

import matplotlib

# Element ids are salted with random numbers and the date is stored, unless both are set.
STYLE = {"svg.hashsalt": "flowers", "font.size": 9, "axes.spines.top": False}


def to_svg(figure):
    """Make a figure as the text of an SVG file."""
    out = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(out, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
