"""Matplotlib figures as SVG, the same bytes for the same figure."""

import io

import matplotlib

# By default matplotlib salts element ids at random and stores the date.
STYLE = {"svg.hashsalt": "flowers", "font.size": 9, "axes.spines.top": False}


def to_svg(figure):
    """Render a figure as the text of an SVG file."""
    out = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(out, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
