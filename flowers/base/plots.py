"""Matplotlib figures as SVG, the same bytes for the same figure."""

import io

import matplotlib
from matplotlib.text import Text

from flowers.base.fonts import choose_fonts, register_fonts, split_runs

# By default matplotlib salts element ids at random and stores the date.
STYLE = {"svg.hashsalt": "flowers", "font.size": 9, "axes.spines.top": False}
MAX_LABEL = 24  # characters; longer names leave no place for the axes


def make_labels(names):
    r"""Make labels that matplotlib draws as they are: short, no formulas, no hidden entry.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    list of str

    Examples
    --------
    >>> make_labels(["Tulip", "$x$", "x" * 99])
    ['Tulip', '\\$x\\$', 'xxxxxxxxxxxxxxxxxxxxxxx…']
    """
    labels = []
    for name in map(str, names):
        short = name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1]}…"
        label = "".join(run for run, _ in split_runs(short, choose_fonts(short)))
        # A legend omits labels that begin with an underscore.
        labels.append(label.replace("$", r"\$").replace("_", " _", label.startswith("_")))
    return labels


def to_svg(figure, labels=()):
    """Render a figure as the text of an SVG file, with fonts for `labels` of `make_labels`."""
    families = register_fonts(choose_fonts("".join(labels)))
    out = io.StringIO()
    with matplotlib.rc_context(STYLE):
        if len(families) > 1:
            for text in figure.findobj(Text):
                text.set_fontfamily(families)
        figure.savefig(out, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
