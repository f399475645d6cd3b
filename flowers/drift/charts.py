"""Charts of the drift report and of the alarm's own simulation, as SVG."""

import numpy as np
from matplotlib.figure import Figure

from flowers.drift.alarm import counts, first_of_groups
from flowers.plots import svg

REFERENCE, RECENT, ALARM = "0.6", "tab:green", "tab:red"
SHOWN = 200  # windows
LEAST = 1e-12  # p-values below are drawn there


def _axes(width=5.2):
    figure = Figure(figsize=(width, 3.4), layout="constrained")
    return figure, figure.subplots()


def nothing(title):
    """Make a chart that says there is nothing to draw yet."""
    figure, ax = _axes()
    ax.set_axis_off()
    ax.set_title(title)
    ax.text(0.5, 0.5, "no predictions yet", ha="center", color="0.4")
    return svg(figure)


def classes(expected, shares, names):
    """Shares of the answered classes.

    Parameters
    ----------
    expected, shares : ndarray of shape (n_classes,)
        Of the held-out photos and of the newest window.
    names : sequence of str
    """
    figure, ax = _axes()
    place = np.arange(len(names))
    ax.bar(place - 0.2, expected, 0.4, color=REFERENCE, label="held-out photos")
    ax.bar(place + 0.2, shares, 0.4, color=RECENT, label="newest window")
    ax.set_xticks(place, names)
    ax.set(title="Answered classes", ylabel="share")
    ax.legend(frameon=False)
    return svg(figure)


def confidence(before, now):
    """Distribution functions of the confidence.

    Parameters
    ----------
    before, now : ndarray of shape (m,), (n,)
        Of the held-out photos and of the newest window.
    """
    figure, ax = _axes()
    ax.ecdf(before, color=REFERENCE, label="held-out photos")
    ax.ecdf(now, color=RECENT, label="newest window")
    ax.set(title="Confidence", xlabel="confidence", ylabel="share below", xlim=(0, 1))
    ax.legend(frameon=False, loc="upper left")
    return svg(figure)


def windows(p_values, differing, alpha):
    """Draw the smallest adjusted p-value of each window, in the order of time.

    Parameters
    ----------
    p_values : ndarray of shape (k,)
    differing : ndarray of shape (k,), bool
    alpha : float
    """
    figure, ax = _axes(7)
    number = np.arange(len(p_values))[-SHOWN:]
    shown, marked = np.maximum(p_values, LEAST)[-SHOWN:], differing[-SHOWN:]
    ax.axhline(alpha, color="0.7", linestyle="--", label=f"alpha = {alpha}")
    ax.plot(number, shown, color=REFERENCE, linewidth=0.8)
    for which, colour, label in ((~marked, RECENT, "as the test"), (marked, ALARM, "differs")):
        ax.plot(number[which], shown[which], "o", markersize=4, color=colour, label=label)
    ax.set(yscale="log", ylim=(LEAST / 3, 3), xlabel="window", ylabel="smallest adjusted p-value")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_title("Windows of predictions; two in a row that differ are an alarm")
    ax.legend(frameon=False, loc="lower left")
    return svg(figure)


def alarm(rates):
    """Share of simulated cases that end in an alarm.

    Parameters
    ----------
    rates : dict of shift to dict of window size to dict
        With ``alarm``, range [0, 1].
    """
    figure, ax = _axes(6)
    sizes = list(next(iter(rates.values())))
    height = 0.8 / len(sizes)
    for i, size in enumerate(sizes):
        values = [rates[shift][size]["alarm"] for shift in rates]
        place = np.arange(len(rates)) + (i - (len(sizes) - 1) / 2) * height
        bars = ax.barh(place, values, height * 0.9, label=f"windows of {size}")
        ax.bar_label(bars, [f"{100 * v:.1f} %" for v in values], padding=3, fontsize=7)
    ax.set_yticks(np.arange(len(rates)), rates)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.18), xlabel="share of cases with an alarm", title="What the alarm sees")
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(1, 0))
    return svg(figure)


def pictures(held_out, rows, found, alpha):
    """Draw all charts of a report.

    Parameters
    ----------
    held_out, rows
        As of ``flowers.drift.windows.Windows.of``.
    found : Windows
    alpha : float

    Returns
    -------
    dict of str to str
        SVG by name.
    """
    reference = held_out["probabilities"][first_of_groups(held_out["group"])]
    newest = np.array(rows["probabilities"])
    newest = newest[slice(*found.spans[-1])] if found.spans else newest
    drawn = {
        "classes": nothing("Answered classes"),
        "confidence": nothing("Confidence"),
        "windows": nothing("Windows"),
    }
    if len(newest):
        shares = [counts(given) / len(given) for given in (reference, newest)]
        drawn["classes"] = classes(*shares, held_out["classes"])
        drawn["confidence"] = confidence(reference.max(axis=1), newest.max(axis=1))
    if found.spans:
        drawn["windows"] = windows(found.p_values.min(axis=1), found.differing, alpha)
    return drawn
