"""Plots of the drift report and of the power simulation, as SVG."""

import numpy as np
from matplotlib.figure import Figure

from flowers.base.plots import make_labels, to_svg
from flowers.drift.windows import count_predicted

REFERENCE = "0.6"
RECENT = "tab:green"
ALERT = "tab:red"
CHANGED = "tab:orange"
WINDOWS_SHOWN = 200
MAX_POINTS = 2000  # of the wealth
WITHIN = (400, 1000, 2000)
SHADES = ("tab:green", "#8fce8f", "#d4ecd4")
MIN_P_VALUE = 1e-12  # smaller p-values are drawn here


def _make_axes(width=5.2, height=3.4):
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def plot_empty(title):
    """Plot that there are no predictions yet."""
    figure, ax = _make_axes()
    ax.set_axis_off()
    ax.set_title(title)
    ax.text(0.5, 0.5, "no predictions yet", ha="center", color="0.4")
    return to_svg(figure)


def plot_classes(expected, shares, names):
    """Plot the shares of the predicted classes.

    Parameters
    ----------
    expected, shares, names : ndarray of shape (n_classes,)
        Shares in the reference set and of the newest predictions; names of the classes.
    """
    figure, ax = _make_axes()
    positions = np.arange(len(names))
    ax.bar(positions - 0.2, expected, 0.4, color=REFERENCE, label="reference set")
    ax.bar(positions + 0.2, shares, 0.4, color=RECENT, label="newest predictions")
    labels = make_labels(names)
    ax.set_xticks(positions, labels)
    ax.set(title="Predicted classes", ylabel="share")
    ax.legend(frameon=False)
    return to_svg(figure, labels)


def plot_confidence(before, now):
    """Plot the distribution functions of the confidence: reference set (m,), newest (n,)."""
    figure, ax = _make_axes()
    ax.ecdf(before, color=REFERENCE, label="reference set")
    ax.ecdf(now, color=RECENT, label="newest predictions")
    ax.set(title="Confidence", xlabel="confidence", ylabel="share below", xlim=(0, 1))
    ax.legend(frameon=False, loc="upper left")
    return to_svg(figure)


def plot_windows(windows, alpha):
    """Plot the smallest adjusted p-value of each of `Windows` in the order of time."""
    figure, ax = _make_axes(7)
    number = np.arange(len(windows.spans))[-WINDOWS_SHOWN:]
    shown = np.maximum(windows.p_values.min(axis=1), MIN_P_VALUE)[-WINDOWS_SHOWN:]
    differing = windows.find_differing(alpha)[-WINDOWS_SHOWN:]
    ax.axhline(alpha, color="0.7", linestyle="--", label=f"alpha = {alpha}")
    ax.plot(number, shown, color=REFERENCE, linewidth=0.8)
    kinds = (~differing, RECENT, "as the reference set"), (differing, ALERT, "differs")
    for rows, colour, label in kinds:
        ax.plot(number[rows], shown[rows], "o", markersize=4, color=colour, label=label)
    rows = windows.find_changed_proportions(alpha).any(axis=1)[-WINDOWS_SHOWN:]
    circle = {"color": CHANGED, "markersize": 8, "fillstyle": "none"}
    ax.plot(number[rows], shown[rows], "o", label="other class proportions", **circle)
    ax.set(yscale="log", ylim=(MIN_P_VALUE / 3, 3))
    ax.set(xlabel="window", ylabel="smallest adjusted p-value")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_title("Windows against the reference set, adjusted for label shift")
    ax.legend(frameon=False, loc="lower left")
    return to_svg(figure)


def plot_wealth(log_wealth, limit, alert):
    """Plot the wealth of the test martingale, its limit, and the alert of any detector.

    Parameters
    ----------
    log_wealth, limit : ndarray of shape (n,), float
        Logarithm of the wealth, and the wealth at which the martingale raises an alert.
    alert : flowers.drift.detector.Alert or None
    """
    figure, ax = _make_axes(7)
    position = np.arange(1, len(log_wealth) + 1)
    shown = np.exp(np.clip(log_wealth, -14, 60))
    step = max(1, len(position) // MAX_POINTS)
    ax.axhline(limit, color="0.7", linestyle="--", label=f"alert at {limit:g}")
    ax.plot(position[::-step][::-1], shown[::-step][::-1], color=RECENT, linewidth=1)
    if alert is not None:
        ax.axvline(alert.position + 1, color=ALERT, linewidth=1, label="change detected")
    ax.set(yscale="log", ylim=(min(1e-3, shown.min()), 3 * max(shown.max(), limit)))
    ax.set(xlabel="prediction", ylabel="wealth")
    ax.set_title("Wealth of the test martingale; without a change it rarely grows")
    ax.legend(frameon=False, loc="upper left")
    return to_svg(figure)


def plot_power(false_alarms, shifts):
    """Plot how soon each simulated shift is detected, with the false-alarm rates in the title.

    Parameters
    ----------
    false_alarms : dict of traffic to dict
        From ``flowers.drift_simulation.power.Simulator.simulate_false_alarms``.
    shifts : dict of name to dict
        From ``Simulator.simulate_shift``.
    """
    figure, ax = _make_axes(7, 1.4 + 0.24 * len(shifts))
    positions = np.arange(len(shifts))
    left = np.zeros(len(shifts))
    for n, colour in zip(WITHIN, SHADES, strict=True):
        share = np.array([power[f"detected_within_{n}"] or 0.0 for power in shifts.values()])
        ax.barh(
            positions, share - left, 0.75, left, color=colour, label=f"within {n:,} predictions"
        )
        left = share
    for y, power in zip(positions, shifts.values(), strict=True):
        ax.text(1.02, y, f"{-100 * power['accuracy_drop']:+.0f} points", va="center", fontsize=8)
    ax.set_yticks(positions, shifts)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.2), xlabel="share of streams with an alert; right: change of accuracy")
    ax.set_xticks(np.linspace(0, 1, 6))
    rates = [f"{100 * r['false_alarm_rate']:.1f} % ({t} traffic)" for t, r in false_alarms.items()]
    length = next(iter(false_alarms.values()))["predictions"]
    title = f"False alarms in {length:,} predictions without a shift: {', '.join(rates)}"
    ax.set_title(title, fontsize=9)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(1, 0), fontsize=8)
    return to_svg(figure)


def plot_report(stream, names, params):
    """Plot all charts of a report.

    Parameters
    ----------
    stream : flowers.drift.report.MonitoredStream
    names : sequence of str
        Of the classes.
    params : dict
        ``alpha``, ``wealth_limit``, ``window``.

    Returns
    -------
    dict of str to str
        SVG by name.
    """
    reference = stream.reference.probabilities
    newest = stream.rows["probabilities"][-params["window"] :]
    titles = {"classes": "Predicted classes", "confidence": "Confidence", "windows": "Windows"}
    titles["wealth"] = "Wealth of the test martingale"
    plots = {name: plot_empty(title) for name, title in titles.items()}
    if len(newest):
        expected = count_predicted(reference) / len(reference)
        plots["classes"] = plot_classes(expected, count_predicted(newest) / len(newest), names)
        plots["confidence"] = plot_confidence(reference.max(axis=1), newest.max(axis=1))
        log_wealth = stream.detection.log_wealth
        plots["wealth"] = plot_wealth(log_wealth, params["wealth_limit"], stream.alert)
    if stream.windows.spans:
        plots["windows"] = plot_windows(stream.windows, params["alpha"])
    return plots
