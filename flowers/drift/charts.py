"""Charts of the drift report and of the alarm's own simulation, as SVG."""

import numpy as np
from matplotlib.figure import Figure

from flowers.base.plots import to_svg
from flowers.drift.alarm import counts

REFERENCE, RECENT, ALARM, MOVED = "0.6", "tab:green", "tab:red", "tab:orange"
SHOWN = 200  # windows
POINTS = 2000  # of the capital
WITHIN, SOON = (400, 1000, 2000), ("tab:green", "#8fce8f", "#d4ecd4")
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
    return to_svg(figure)


def classes(expected, shares, names):
    """Shares of the answered classes.

    Parameters
    ----------
    expected, shares : ndarray of shape (n_classes,)
        Of the held-out photos and of the newest photos.
    names : sequence of str
    """
    figure, ax = _axes()
    place = np.arange(len(names))
    ax.bar(place - 0.2, expected, 0.4, color=REFERENCE, label="held-out photos")
    ax.bar(place + 0.2, shares, 0.4, color=RECENT, label="newest photos")
    ax.set_xticks(place, names)
    ax.set(title="Answered classes", ylabel="share")
    ax.legend(frameon=False)
    return to_svg(figure)


def confidence(before, now):
    """Distribution functions of the confidence.

    Parameters
    ----------
    before, now : ndarray of shape (m,), (n,)
        Of the held-out photos and of the newest photos.
    """
    figure, ax = _axes()
    ax.ecdf(before, color=REFERENCE, label="held-out photos")
    ax.ecdf(now, color=RECENT, label="newest photos")
    ax.set(title="Confidence", xlabel="confidence", ylabel="share below", xlim=(0, 1))
    ax.legend(frameon=False, loc="upper left")
    return to_svg(figure)


def windows(p_values, differing, moved, alpha):
    """Draw the smallest adjusted p-value of each window, in the order of time.

    Parameters
    ----------
    p_values : ndarray of shape (k,)
        Apart from the mix of classes.
    differing, moved : ndarray of shape (k,), bool
        Windows that differ apart from their mix, and those whose mix has moved.
    alpha : float
    """
    figure, ax = _axes(7)
    number = np.arange(len(p_values))[-SHOWN:]
    shown, marked = np.maximum(p_values, LEAST)[-SHOWN:], differing[-SHOWN:]
    ax.axhline(alpha, color="0.7", linestyle="--", label=f"alpha = {alpha}")
    ax.plot(number, shown, color=REFERENCE, linewidth=0.8)
    for which, colour, label in ((~marked, RECENT, "as the test"), (marked, ALARM, "differs")):
        ax.plot(number[which], shown[which], "o", markersize=4, color=colour, label=label)
    which = moved[-SHOWN:]
    ring = {"color": MOVED, "markersize": 8, "fillstyle": "none"}
    ax.plot(number[which], shown[which], "o", label="another mix of classes", **ring)
    ax.set(yscale="log", ylim=(LEAST / 3, 3), xlabel="window", ylabel="smallest adjusted p-value")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_title("Windows of photos beside the held-out ones")
    ax.legend(frameon=False, loc="lower left")
    return to_svg(figure)


def capital(log_capital, rings_at, first):
    """Draw the capital of the player who bets that something has changed.

    Parameters
    ----------
    log_capital : ndarray of shape (n,)
    rings_at : float
        Capital.
    first : int or None
        Photo at which the alarm rang.
    """
    figure, ax = _axes(7)
    photos, shown = np.arange(1, len(log_capital) + 1), np.exp(np.clip(log_capital, -14, 60))
    step = max(1, len(photos) // POINTS)
    ax.axhline(rings_at, color="0.7", linestyle="--", label=f"rings at {rings_at:g}")
    ax.plot(photos[::-step][::-1], shown[::-step][::-1], color=RECENT, linewidth=1)
    if first is not None:
        ax.axvline(first + 1, color=ALARM, linewidth=1, label="the alarm rang")
    low, high = min(1e-3, shown.min()), max(shown.max(), rings_at)
    ax.set(yscale="log", ylim=(low, 3 * high), xlabel="photo", ylabel="capital")
    ax.set_title("Capital bet on a change; without one it seldom grows")
    ax.legend(frameon=False, loc="upper left")
    return to_svg(figure)


def alarm(months, shifts):
    """Draw how soon each simulated shift is noticed, and how often the alarm rings in vain.

    Parameters
    ----------
    months : dict of traffic to dict
        As of ``flowers.drift_simulation.simulation.Simulator.false_alarms``.
    shifts : dict of name to dict
        As of ``Simulator.detection``.
    """
    figure = Figure(figsize=(7, 1.4 + 0.24 * len(shifts)), layout="constrained")
    ax, place, before = figure.subplots(), np.arange(len(shifts)), np.zeros(len(shifts))
    for n, colour in zip(WITHIN, SOON, strict=True):
        share = np.array([told[f"detected_within_{n}"] or 0.0 for told in shifts.values()])
        ax.barh(place, share - before, 0.75, before, color=colour, label=f"within {n:,} photos")
        before = share
    for y, told in zip(place, shifts.values(), strict=True):
        lost = -100 * told["accuracy_drop"]
        ax.text(1.02, y, f"{lost:+.0f} points", va="center", fontsize=8)
    ax.set_yticks(place, shifts)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.2), xlabel="share of streams that ring, and the accuracy that is lost")
    ax.set_xticks(np.linspace(0, 1, 6))
    false = [f"{100 * month['false_alarm_rate']:.1f} % ({name} traffic)" for name, month in months.items()]
    photos = next(iter(months.values()))["photos"]
    ax.set_title(f"{photos:,} photos without a shift ring: {', '.join(false)}", fontsize=9)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(1, 0), fontsize=8)
    return to_svg(figure)


def pictures(stream, names, params):
    """Draw all charts of a report.

    Parameters
    ----------
    stream : flowers.drift.summary.Stream
    names : sequence of str
        Of the classes.
    params : dict
        ``alpha``, ``capital``, ``window``.

    Returns
    -------
    dict of str to str
        SVG by name.
    """
    reference, found = stream.held.probabilities, stream.windows
    late = stream.rows["probabilities"][-params["window"] :]
    titles = {"classes": "Answered classes", "confidence": "Confidence"}
    titles |= {"windows": "Windows", "wealth": "Wealth of the test martingale"}
    drawn = {name: nothing(title) for name, title in titles.items()}
    if len(late):
        shares = [counts(given) / len(given) for given in (reference, late)]
        drawn["classes"] = classes(*shares, names)
        drawn["confidence"] = confidence(reference.max(axis=1), late.max(axis=1))
        rang = stream.ring and stream.ring.at
        drawn["wealth"] = capital(stream.log_capital, params["wealth_limit"], rang)
    if found.spans:
        moved = found.moved(params["alpha"]).any(axis=1)
        marks = found.differing(params["alpha"]), moved
        drawn["windows"] = windows(found.p_values.min(axis=1), *marks, params["alpha"])
    return drawn
