"""Plots of the drift report, as SVG."""

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from flowers.base.plots import make_labels, to_svg
from flowers.drift.mean_tests import LENGTHS, RUN_RULES
from flowers.drift.report import count_predicted
from flowers.images.statistics import STATISTIC_NAMES

REFERENCE = "0.6"
RECENT = "tab:green"
ALERT = "tab:red"
MIN_RATIO = 1e-12  # smaller p-values relative to the level are drawn here
MAX_POINTS = 2000  # of the tests


def _make_axes(width=5.2, height=3.4, rows=1):
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, sharex=rows > 1)


def _mark_times(ax, stream):
    """Format the x axis as dates, and mark the change and its detection."""
    locator = AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    if stream.alert is not None:
        times = stream.rows["time"]
        start, detected = times[[stream.alert.change_start, stream.alert.position]]
        ax.axvline(start, color=ALERT, linestyle=":", linewidth=1, label="change started")
        ax.axvline(detected, color=ALERT, linewidth=1, label="change detected")


def plot_tests(stream):
    """Plot the two tests of the detector over time, with their limits, and the alert."""
    tests = stream.detection.tests
    figure, (scores, proportions) = _make_axes(7, 4.6, 2)
    shown = slice(None, None, max(1, len(tests.ends) // MAX_POINTS))
    times = stream.rows["time"][tests.ends - 1][shown]
    ratios = tests.ratios
    ratio = np.maximum(ratios.min(axis=1), MIN_RATIO)
    length = np.array(LENGTHS)[ratios.argmin(axis=1)]
    scores.plot(times, ratio[shown], color=RECENT, linewidth=1)
    scores.axhline(1, color="0.7", linestyle="--", label="alert")
    scores.set(yscale="log", ylabel="p-value / level")
    scores.invert_yaxis()
    newest = f" (now: newest {length[-1]:,} predictions)" if len(length) else ""
    scores.set_title(f"Hotelling T² test of the scores{newest}")
    excess = (tests.deviations / list(RUN_RULES.values())).max(axis=1)
    proportions.plot(times, np.maximum(excess, -1)[shown], color=RECENT, linewidth=1)
    proportions.axhline(1, color="0.7", linestyle="--", label="alert")
    proportions.set(title="Run rules on the class proportions", ylabel="deviation / limit")
    for ax in (scores, proportions):
        _mark_times(ax, stream)
    scores.legend(frameon=False, fontsize=8, loc="lower left")
    return to_svg(figure)


def plot_images(stream, periods):
    """Plot the image statistics over time, minus the reference set, in its standard deviations."""
    figure, ax = _make_axes(7)
    mean = stream.reference.image.mean(axis=0)
    sd = np.maximum(stream.reference.image.std(axis=0), 1e-6)
    times = [period["end"] for period in periods]
    for j, name in enumerate(STATISTIC_NAMES):
        values = (np.array([period[name] for period in periods]) - mean[j]) / sd[j]
        dashes = "--" if name.startswith("std") else "-"
        ax.plot(times, values, dashes, marker=".", linewidth=1, label=name.replace("_", " "))
    ax.axhline(0, color=REFERENCE, linewidth=0.8)
    _mark_times(ax, stream)
    ax.set(title="Image statistics", ylabel="standard deviations from the reference set")
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return to_svg(figure)


def plot_accuracy(stream, periods):
    """Plot the accuracy over time: expected without labels, and by labels where they came."""
    figure, ax = _make_axes(7)
    times = np.array([period["end"] for period in periods])
    low, middle, high = (
        np.array([period[f"expected_accuracy{end}"] for period in periods])
        for end in ("_low", "", "_high")
    )
    ax.fill_between(times, low, high, color=RECENT, alpha=0.2, linewidth=0)
    ax.plot(times, middle, color=RECENT, marker=".", label="expected, without labels")
    labelled = [period for period in periods if period["labelled"]]
    if labelled:
        share, below, above = (
            np.array([period[f"accuracy{end}"] for period in labelled])
            for end in ("", "_low", "_high")
        )
        margins = np.maximum([share - below, above - share], 0)
        ends = [period["end"] for period in labelled]
        ax.errorbar(
            ends, share, margins, fmt="o", markersize=4, color="tab:blue", label="by labels"
        )
    ax.axhline(stream.performance["reference_accuracy"], color=REFERENCE, label="reference set")
    _mark_times(ax, stream)
    ax.set(title="Accuracy", ylabel="accuracy", ylim=(0, 1.02))
    ax.legend(frameon=False, fontsize=8, loc="lower left")
    return to_svg(figure)


def plot_classes(expected, shares, names):
    """Plot the shares of the predicted classes: reference set and newest predictions."""
    figure, ax = _make_axes()
    positions = np.arange(len(names))
    ax.bar(positions - 0.2, expected, 0.4, color=REFERENCE, label="reference set")
    ax.bar(positions + 0.2, shares, 0.4, color=RECENT, label="newest predictions")
    labels = make_labels(names)
    ax.set_xticks(positions, labels)
    ax.set(title="Predicted classes", ylabel="share")
    ax.legend(frameon=False)
    return to_svg(figure, labels)


def plot_report(stream, periods, window):
    """Plot all charts of a report; none while there are no predictions.

    Parameters
    ----------
    stream : flowers.drift.report.MonitoredStream
    periods : list of dict
        From ``flowers.drift.report.describe_periods``.
    window : int
        Newest predictions to show.

    Returns
    -------
    dict of str to str
        SVG by name.
    """
    if not periods:
        return {}
    reference = stream.reference
    expected, now = (
        count_predicted(x) / len(x)
        for x in (reference.probabilities, stream.rows["probabilities"][-window:])
    )
    return {
        "tests": plot_tests(stream),
        "images": plot_images(stream, periods),
        "accuracy": plot_accuracy(stream, periods),
        "classes": plot_classes(expected, now, reference.classes),
    }
