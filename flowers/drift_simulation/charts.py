"""Plot of the power simulation, as SVG."""

import numpy as np
from matplotlib.figure import Figure

from flowers.base.plots import to_svg
from flowers.drift_simulation.power import WITHIN

SHADES = ("tab:green", "#8fce8f", "#d4ecd4")  # of ``WITHIN``


def plot_power(false_alarms, shifts):
    """Plot the false-alarm rate in each traffic, and how soon each simulated shift is detected.

    Parameters
    ----------
    false_alarms : dict of traffic to dict
        From ``flowers.drift_simulation.power.Simulator.simulate_false_alarms``.
    shifts : dict of name to dict
        From ``Simulator.simulate_shift``.
    """
    counts = len(false_alarms), len(shifts)
    figure = Figure(figsize=(7, 2 + 0.24 * sum(counts)), layout="constrained")
    above, below = figure.subplots(2, height_ratios=counts)
    rates = [traffic["false_alarm_rate"] for traffic in false_alarms.values()]
    bars = above.barh(list(false_alarms), rates, 0.75, color="tab:red")
    above.bar_label(bars, [f"{100 * rate:.1f} %" for rate in rates], padding=3, fontsize=8)
    length = next(iter(false_alarms.values()))["predictions"]
    above.set_title(f"Streams of {length:,} predictions without a shift that raise a false alarm")
    _plot_detection_rates(below, shifts)
    for ax in (above, below):
        ax.invert_yaxis()
        ax.set(xlim=(0, 1.2), xticks=np.linspace(0, 1, 6))
    return to_svg(figure)


def _plot_detection_rates(ax, shifts):
    left = np.zeros(len(shifts))
    for n, colour in zip(WITHIN, SHADES, strict=True):
        share = np.array([power[f"detected_within_{n}"] or 0.0 for power in shifts.values()])
        label = f"within {n:,} predictions"
        ax.barh(list(shifts), share - left, 0.75, left, color=colour, label=label)
        left = share
    for y, power in enumerate(shifts.values()):
        ax.text(1.02, y, f"{-100 * power['accuracy_drop']:+.0f} points", va="center", fontsize=8)
    ax.set(xlabel="share of streams with an alert; right: change of accuracy")
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(1, 0), fontsize=8)
