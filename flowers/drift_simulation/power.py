"""Simulation of the drift detector: false-alarm rate without a shift, detection delay with one.

Reference set and stream are drawn independently from the same images (group bootstrap). Without a
shift the null hypothesis then holds exactly, and the rates include the sampling error of a
reference set of the real size. Each draw counts as an image of its own.
"""

from dataclasses import dataclass

import numpy as np

from flowers.base.parallel import parallel_map
from flowers.drift.detector import (
    COVARIATE_SHIFT,
    DETECTORS,
    LABEL_SHIFT,
    Stream,
    classify_change,
    compute_inputs,
    detect,
)
from flowers.drift.report import compute_wilson_interval
from flowers.drift_simulation import shifts, traffic

STREAM_LENGTH = 20_000  # predictions without a shift, about a month of a small scorer
# Clustered traffic has bursts of a class, and class proportions that vary between days.
TRAFFIC = {"independent": {}, "clustered": {"burst": 3.0, "day_sd": 0.05}}
WITHIN = (400, 1000, 2000)  # predictions after the start of a shift
BEFORE_SHIFT = 500  # predictions
BATCH = 20  # streams at a time, for memory
GRADUAL = 2000  # predictions over which a gradual shift reaches its full share
# Shares of shifted images of one shift, instead of the parameter.
SHARES = {"unknown": (0.2, 0.05)}
SHIFTS_AT_ONCE = 4  # whose images are classified in one batch


@dataclass(frozen=True)
class SimulatedShift:
    """A shift with the predictions after it.

    Attributes
    ----------
    probabilities, correct : ndarray of shape (k, n_classes), (k,)
        Predictions of images after the shift, and whether they are correct.
    rows : ndarray of shape (k,)
        Rows of these images in the reference set.
    share : float
        Share of shifted images.
    gradual : int
        Predictions over which the share is reached; 0: at once.
    proportions : ndarray of shape (n_classes,) or None
        Class proportions after a label shift.
    """

    probabilities: np.ndarray
    correct: np.ndarray
    rows: np.ndarray
    share: float = 1.0
    gradual: int = 0
    proportions: np.ndarray | None = None

    @property
    def kind(self):
        """The kind of change that the detector should report."""
        return COVARIATE_SHIFT if self.proportions is None else LABEL_SHIFT


def build_shifts(reference, predict_proba, images, sizes, rows, shares):
    """Build every shift, pairs of name and `SimulatedShift`.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
    predict_proba : callable
        ``flowers.model.predictor.Predictor.predict_proba``.
    images, sizes, rows : ndarray of shape (k, s, s, 3), (k, 2), (k,)
        Reference images to shift, their width and height, and their rows in `reference`.
    shares : sequence of float
        Shares of shifted images.
    """
    truth = reference.truth
    before = reference.probabilities
    for name, after in _classify_shifted(predict_proba, images, sizes):
        after = after.astype(before.dtype).round(6)
        correct = after.argmax(axis=1) == truth[rows]
        correct &= name not in shifts.WITHOUT_TRUTH
        for share in SHARES.get(name, shares):
            yield f"{name}, {100 * share:.0f} %", SimulatedShift(after, correct, rows, share)
        if name == "grey":
            yield f"{name}, slowly", SimulatedShift(after, correct, rows, gradual=GRADUAL)
    correct = before.argmax(axis=1) == truth
    all_rows = np.arange(len(truth))
    for name, weigh_classes in shifts.LABEL_SHIFTS.items():
        weights = traffic.compute_proportions(reference) * weigh_classes(len(reference.classes))
        proportions = weights / weights.sum()
        yield name, SimulatedShift(before, correct, all_rows, proportions=proportions)


def _classify_shifted(predict_proba, images, sizes):
    """Yield each image shift and the probabilities of all images after it."""
    names = list(shifts.IMAGE_SHIFTS)
    for start in range(0, len(names), SHIFTS_AT_ONCE):
        batch = names[start : start + SHIFTS_AT_ONCE]
        shifted = np.concatenate([shifts.apply_shift(name, images) for name in batch])
        probabilities = predict_proba(shifted, np.tile(sizes, (len(batch), 1)))
        yield from zip(batch, np.split(probabilities, len(batch)), strict=True)


def select_spread(groups, count):
    """Select `count` rows evenly, the first image of each group before any other."""
    first = np.sort(np.unique(groups, return_index=True)[1])
    if len(first) >= count:
        return first[np.linspace(0, len(first) - 1, count).astype(int)]
    others = np.setdiff1d(np.arange(len(groups)), first)
    return np.sort(np.concatenate([first, others[: count - len(first)]]))


class Simulator:
    """Draws reference sets and streams, and runs the detector on them.

    Parameters
    ----------
    reference, seed : flowers.model.reference.Reference, int
    params : dict
        ``wealth_limit``, ``window``, ``alpha`` and ``proportion_tolerance``.

    Attributes
    ----------
    distinct, accuracy : int, float
        Near-duplicate groups of the reference set, and accuracy with each group counted once.
    """

    def __init__(self, reference, params, seed):
        self.reference = reference
        self.params = params
        self.seed = seed
        self.correct = reference.probabilities.argmax(axis=1) == reference.truth
        _, group_index, copies = np.unique(reference.group, return_inverse=True, return_counts=True)
        self.distinct = len(copies)
        self.accuracy = float(self.correct @ ((1 / copies)[group_index] / self.distinct))

    def draw_references(self, count, rng):
        """Draw the rows of reference sets, shape (count, distinct)."""
        even = np.ones(len(self.reference.group))
        return traffic.draw_images(self.reference.group, even, (count, self.distinct), rng)

    def detect_in_streams(self, population, references, streams, rng):
        """Run the detector on each stream; yields the detection and the reference set.

        Parameters
        ----------
        population : ndarray of shape (u, n_classes)
            Probabilities; those of the reference set come first.
        references, streams : ndarray of shape (s, m), (s, n)
            Rows of the population.
        rng : numpy.random.Generator
        """
        ties = rng.random(streams.shape)
        day = np.arange(streams.shape[1]) // traffic.PER_DAY
        inputs = compute_inputs(
            population, self.reference.truth, references, streams, ties, self.params
        )
        for i, stream_inputs in enumerate(inputs):
            reference = self.reference.select(references[i])
            stream = Stream(population[streams[i]], day, ties[i])
            yield detect(reference, stream, self.params, stream_inputs), reference

    def simulate_false_alarms(self, count, traffics, length=STREAM_LENGTH):
        """Measure the false-alarm rate: the share of streams without a shift that raise an alert.

        Parameters
        ----------
        count, length : int
            Streams of each traffic, and predictions in each.
        traffics : dict of name to dict
            Keywords of ``flowers.drift_simulation.traffic.draw_streams``.

        Yields
        ------
        (str, dict)
            Name of the traffic, and rates.
        """
        starts = range(0, count, BATCH)
        # Tasks of all traffics together: no worker waits for the last streams of one.
        tasks = (
            (start, (min(BATCH, count - start), length), kind)
            for kind in traffics.values()
            for start in starts
        )
        batches = parallel_map(self._simulate_unshifted, tasks)
        for name in traffics:
            detectors = [alert.detector for _ in starts for alert in next(batches) if alert]
            low, high = compute_wilson_interval(len(detectors), count)
            yield (
                name,
                {
                    "streams": count,
                    "predictions": length,
                    "false_alarm_rate": len(detectors) / count,
                    "false_alarm_rate_low": max(low, 0.0),
                    "false_alarm_rate_high": high,
                }
                | {d.replace(" ", "_"): detectors.count(d) / count for d in DETECTORS},
            )

    def _simulate_unshifted(self, start, size, kind):
        """Alerts of streams without a shift; a batch does not depend on the others."""
        rng = np.random.default_rng([self.seed, start])
        streams = traffic.draw_streams(self.reference, size, rng, **kind)
        references = self.draw_references(size[0], rng)
        population = self.reference.probabilities
        detections = self.detect_in_streams(population, references, streams, rng)
        return [detection.alert for detection, _ in detections]

    def simulate_shift(self, shift, count):
        """Measure how soon a shift is detected, and whether with its kind.

        Parameters
        ----------
        shift, count : SimulatedShift, int
            Shift, and number of streams.

        Returns
        -------
        dict
            ``accuracy_drop``; ``detected_within_N``, the share of streams; ``median_delay`` in
            predictions; ``kind_correct``, the share of alerts. None where it is undefined.
        """
        rng = np.random.default_rng(self.seed)
        reference = self.reference
        before = traffic.draw_streams(reference, (count, BEFORE_SHIFT), rng)
        after = self.draw_shifted(shift, (count, WITHIN[-1]), rng)
        population = np.concatenate([reference.probabilities, shift.probabilities])
        streams = np.concatenate([before, after], axis=1)
        references = self.draw_references(count, rng)
        delays = []
        kinds = []
        detections = self.detect_in_streams(population, references, streams, rng)
        for (detection, drawn), rows in zip(detections, streams, strict=True):
            alert = detection.alert
            delay = alert.position - BEFORE_SHIFT + 1 if alert else np.inf
            if delay <= 0:  # a false alarm: the shift cannot be detected any more
                continue
            delays.append(delay)
            if alert:
                change = alert, detection.tests, drawn, population[rows], self.params
                kinds.append(classify_change(*change))
        correct = np.concatenate([self.correct, shift.correct])[after[:, shift.gradual // 2 :]]
        power = {"accuracy_drop": self.accuracy - float(correct.mean())}
        for n in WITHIN:
            power[f"detected_within_{n}"] = (
                float(np.mean(np.less_equal(delays, n))) if delays else None
            )
        median = np.median(delays) if delays else np.inf
        power["median_delay"] = int(median) if np.isfinite(median) else None
        power["kind_correct"] = kinds.count(shift.kind) / len(kinds) if kinds else None
        return power

    def draw_shifted(self, shift, size, rng):
        """Draw rows of the population (reference set, then shifted images) after a shift.

        `size` is that of streams, and predictions in each.
        """
        reference = self.reference
        if shift.proportions is not None:
            return traffic.draw_streams(reference, size, rng, proportions=shift.proportions)
        plain = traffic.draw_streams(reference, size, rng)
        shifted = traffic.draw_streams(reference.select(shift.rows), size, rng)
        share = shift.share * np.minimum(1, np.arange(1, size[1] + 1) / max(shift.gradual, 1))
        return np.where(rng.random(size) < share, len(reference.truth) + shifted, plain)
