"""Simulation of the drift detector: false-alarm rate without a shift, detection delay with one.

The reference set, the stream before a shift and the stream after it are drawn independently from
the same images (group bootstrap), which are shifted afterwards. Without a shift the null hypothesis
then holds exactly, and the rates include the sampling error of a reference set of the real size.
Each draw counts as an image of its own. The shift "identity" changes nothing: it is the control.
"""

from dataclasses import dataclass, replace

import numpy as np

from flowers.base.groups import find_first_of_groups
from flowers.base.intervals import compute_wilson_interval
from flowers.base.parallel import parallel_map
from flowers.drift.detector import (
    COVARIATE_SHIFT,
    DETECTORS,
    LABEL_SHIFT,
    Stream,
    classify_change,
    detect,
)
from flowers.drift.expected_accuracy import estimate_accuracy
from flowers.drift.label_shift import compute_proportions
from flowers.drift_simulation import traffic
from flowers.drift_simulation.shifts import COPIES, IMAGE_SHIFTS, LABEL_SHIFTS, WITHOUT_TRUTH
from flowers.images.statistics import compute_hash
from flowers.log.record import DECIMALS
from flowers.log.table import find_near_repeats

STREAM_LENGTH = 20_000  # predictions without a shift, about a month of a small scorer
# Keywords of ``flowers.drift_simulation.traffic.draw_streams``. Copies: each photo is followed by
# this number of ``COPIES``.
TRAFFIC = {
    "independent": {},
    "each photo twice, once smaller": {"copies": 1},
    "each photo three times, saved again": {"copies": 2},
    "bursts of 3, daily sd of 5 points": {"burst": 3.0, "day_sd": 0.05},
    "bursts of 5": {"burst": 5.0},
    "bursts of 10": {"burst": 10.0},
    "daily sd of 5 points": {"day_sd": 0.05},
    "1,500 photos a day, daily sd of 5 points": {"day_sd": 0.05, "per_day": 1500},
    "weekends +16 points": {"weekend": 0.16},
    "weekends +32 points": {"weekend": 0.32},
    "season of 60 days, 10 points": {"season": 0.1},
}
WITHIN = (400, 1000, 2000)  # predictions after the start of a shift
BEFORE_SHIFT = 500  # predictions
BATCH = 5  # streams of a task
GRADUAL = 2000  # predictions over which a gradual shift reaches its full share
# Shares of shifted images of one shift, instead of the parameter.
SHARES = {"unknown": (0.2, 0.05)}


@dataclass(frozen=True)
class SimulatedShift:
    """A shift with the predictions after it.

    Attributes
    ----------
    predictions, correct : ndarray of shape (m, n_classes + 1), (m,)
        Probabilities and typicality of each reference image after the shift, and whether the
        predictions are correct.
    share : float
        Share of shifted images.
    gradual : int
        Predictions over which the share is reached; 0: at once.
    proportions : ndarray of shape (n_classes,) or None
        Class proportions after a label shift.
    """

    predictions: np.ndarray
    correct: np.ndarray
    share: float = 1.0
    gradual: int = 0
    proportions: np.ndarray | None = None

    @property
    def kind(self):
        """The kind of change that the detector should report."""
        return COVARIATE_SHIFT if self.proportions is None else LABEL_SHIFT


def build_shifts(reference, predict_images, images, sizes, shares):
    """Build every shift, pairs of name and `SimulatedShift`.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
    predict_images : callable
        ``flowers.model.predictor.Predictor.predict_images``.
    images, sizes : ndarray of shape (m, s, s, 3), (m, 2)
        The reference images, their width and height.
    shares : sequence of float
        Shares of shifted images.
    """
    truth = reference.truth
    correct = reference.probabilities.argmax(axis=1) == truth
    unshifted = SimulatedShift(stack_predictions(reference), correct)
    yield "identity", unshifted
    for name, shift_images in IMAGE_SHIFTS.items():
        after = _predict(predict_images, shift_images(images), sizes)
        correct = (after[:, :-1].argmax(axis=1) == truth) & (name not in WITHOUT_TRUTH)
        for share in SHARES.get(name, shares):
            yield f"{name}, {100 * share:.0f} %", SimulatedShift(after, correct, share)
        if name == "grey":
            yield f"{name}, slowly", SimulatedShift(after, correct, gradual=GRADUAL)
    for name, weigh_classes in LABEL_SHIFTS.items():
        weights = compute_proportions(reference) * weigh_classes(len(reference.classes))
        yield name, replace(unshifted, proportions=weights / weights.sum())


def build_copies(predict_images, images, sizes):
    """Build the copies of the reference images that a client may send after them.

    Parameters are those of `build_shifts`.

    Returns
    -------
    predictions : ndarray of shape (k * m, n_classes + 1)
        As in `SimulatedShift`, of the images saved by each of ``COPIES``.
    is_repeat : ndarray of shape ((1 + k) * m,), bool
        Whether the log drops an image after the original; False for the m originals.
    """
    variants = [save(images) for save in COPIES]
    hashes = [[int(compute_hash(i), 16) for i in variant] for variant in (images, *variants)]
    pairs = np.array([hashes[0] * len(hashes), sum(hashes, [])], np.uint64).T
    is_repeat = np.array([find_near_repeats(pair)[1] == 0 for pair in pairs])
    is_repeat[: len(images)] = False
    sizes = np.tile(sizes, (len(variants), 1))
    return _predict(predict_images, np.concatenate(variants), sizes), is_repeat


def stack_predictions(reference):
    """Stack the probabilities and the typicality of a reference set, NaN if it has none."""
    missing = np.full(len(reference.truth), np.nan)
    typicality = missing if reference.typicality is None else reference.typicality
    return np.column_stack([reference.probabilities, typicality]).astype("f4")


def _predict(predict_images, *images):
    return np.column_stack(predict_images(*images)).astype("f4").round(DECIMALS)


def select_spread(groups, count):
    """Select `count` rows evenly, the first image of each group before any other."""
    first = find_first_of_groups(groups)
    if len(first) >= count:
        return first[np.linspace(0, len(first) - 1, count).astype(int)]
    others = np.setdiff1d(np.arange(len(groups)), first)
    return np.sort(np.concatenate([first, others[: count - len(first)]]))


class Simulator:
    """Draws reference sets and streams, and runs the detector on them.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
        The images that everything is drawn from.
    distinct : int
        Near-duplicate groups of the whole reference set, the size of drawn ones.
    params, seed : dict, int
        ``window``, ``alpha`` and ``proportion_tolerance``; seed of the draws.
    copies : tuple, optional
        From `build_copies`, for traffic with copies.

    Attributes
    ----------
    accuracy : float
        On the reference set, with each near-duplicate group counted once.
    """

    def __init__(self, reference, distinct, params, seed, copies=None):
        self.copies = copies
        self.reference = reference
        self.distinct = distinct
        self.params = params
        self.seed = seed
        self.correct = reference.probabilities.argmax(axis=1) == reference.truth
        self.accuracy = self.compute_accuracy(self.correct)

    def compute_accuracy(self, correct, proportions=None):
        """Compute the expected accuracy of drawn images, by default with even groups."""
        _, group, copies = np.unique(self.reference.group, return_inverse=True, return_counts=True)
        weights = (1 / copies)[group]
        if proportions is not None:
            member = np.bincount(self.reference.truth, weights, len(proportions))
            weights = weights * (proportions / np.maximum(member, 1e-12))[self.reference.truth]
        return float(correct @ weights / weights.sum())

    def compute_drop(self, shift):
        """Compute the accuracy that a `SimulatedShift` costs."""
        after = self.compute_accuracy(shift.correct, shift.proportions)
        return shift.share * (self.accuracy - after)

    def pair_with_references(self, population, streams, rng, per_day=traffic.PER_DAY):
        """Pair each stream with a drawn reference set; yields (Reference, Stream).

        Parameters
        ----------
        population : ndarray of shape (u, n_classes + 1)
            Predictions as in `SimulatedShift`.
        streams : sequence of ndarray of shape (n,)
            Rows of the population.
        rng : numpy.random.Generator
        per_day : int
            Predictions of a day.
        """
        even = np.ones(len(self.reference.group))
        size = len(streams), self.distinct
        references = traffic.draw_images(self.reference.group, even, size, rng)
        for rows, stream in zip(references, streams, strict=True):
            day = np.arange(len(stream)) // per_day
            predictions = population[stream]
            yield (
                self.reference.select(rows),
                Stream(predictions[:, :-1], day, predictions[:, -1]),
            )

    def simulate_false_alarms(self, count, traffics=TRAFFIC, length=STREAM_LENGTH):
        """Measure the false-alarm rate: the share of streams without a shift that raise an alert.

        Parameters
        ----------
        count, length : int
            Streams of each traffic, and predictions in each.
        traffics : dict of name to dict
            As ``TRAFFIC``.

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
        batches = parallel_map(self._find_false_alarms, tasks)
        for name in traffics:
            detectors = [alert.detector for _ in starts for alert in next(batches) if alert]
            low, high = compute_wilson_interval(len(detectors) / count, count)
            yield (
                name,
                {
                    "streams": count,
                    "predictions": length,
                    "false_alarm_rate": len(detectors) / count,
                    "false_alarm_rate_low": low,
                    "false_alarm_rate_high": high,
                }
                | {d.replace(" ", "_"): detectors.count(d) / count for d in DETECTORS},
            )

    def _find_false_alarms(self, *batch):
        pairs = self.draw_unshifted(*batch)
        return [detect(reference, stream, self.params).alert for reference, stream in pairs]

    def draw_unshifted(self, start, size, kind):
        """Draw a batch of streams without a shift; yields (Reference, Stream).

        Parameters
        ----------
        start : int
            Number of the first stream; a batch does not depend on the others.
        size : tuple of int
            Streams, and predictions in each.
        kind : dict
            One of ``TRAFFIC``.
        """
        rng = np.random.default_rng([self.seed, start])
        kind = dict(kind)
        copies = kind.pop("copies", 0)
        streams = traffic.draw_streams(self.reference, size, rng, **kind)
        population = stack_predictions(self.reference)
        if copies:
            population = np.concatenate([population, self.copies[0]])
            streams = [self._add_copies(stream, copies) for stream in streams]
        per_day = kind.get("per_day", traffic.PER_DAY)
        return self.pair_with_references(population, streams, rng, per_day)

    def _add_copies(self, stream, copies):
        """Follow each image by copies, to the same length, without those that the log drops."""
        photos = stream[: -(-len(stream) // (1 + copies)), None]
        sent = (photos + len(self.reference.truth) * np.arange(1 + copies)).ravel()[: len(stream)]
        return sent[~self.copies[1][sent]]

    def simulate_shifts(self, shifts, count):
        """Yield the name of each shift, a dict, with its result of `simulate_shift`."""
        tasks = ((shift, count) for shift in shifts.values())
        yield from zip(shifts, parallel_map(self.simulate_shift, tasks), strict=True)

    def simulate_shift(self, shift, count):
        """Measure how soon a shift is detected, and whether with its kind.

        Parameters
        ----------
        shift, count : SimulatedShift, int
            Shift, and number of streams.

        Returns
        -------
        dict
            ``accuracy_drop``; ``expected_accuracy_error``, the mean difference of the accuracy that
            is estimated without labels from the true one at the end; ``detected_within_N``, the
            share of streams; ``median_delay`` in predictions; ``kind_correct``, the share of
            alerts. None where it is undefined.
        """
        positions = []
        kinds = []
        expected = []
        rows, pairs = self.draw_shifted(shift, count)
        newest = slice(-self.params["window"], None)
        for reference, stream in pairs:
            newest_probabilities = stream.probabilities[newest]
            expected.append(estimate_accuracy(reference, newest_probabilities)["estimate"])
            detection = detect(reference, stream, self.params)
            alert = detection.alert
            positions.append(alert.position if alert else np.inf)
            if BEFORE_SHIFT <= positions[-1] < np.inf:
                kinds.append(classify_change(alert, detection.tests, self.params))
        power = {"accuracy_drop": self.compute_drop(shift)}
        correct = np.concatenate([self.correct, shift.correct])[rows[:, newest]]
        power["expected_accuracy_error"] = float(np.mean(expected) - correct.mean())
        power |= compute_delays(positions)
        power["kind_correct"] = kinds.count(shift.kind) / len(kinds) if kinds else None
        return power

    def draw_shifted(self, shift, count):
        """Draw `count` streams that shift after ``BEFORE_SHIFT`` predictions.

        Returns
        -------
        rows : ndarray of shape (count, BEFORE_SHIFT + WITHIN[-1])
            Of the reference set, then of its shifted images.
        pairs : iterator of (Reference, Stream)
        """
        rng = np.random.default_rng(self.seed)
        size = count, WITHIN[-1]
        before = traffic.draw_streams(self.reference, (count, BEFORE_SHIFT), rng)
        after = traffic.draw_streams(self.reference, size, rng, proportions=shift.proportions)
        share = shift.share * np.minimum(1, np.arange(1, size[1] + 1) / max(shift.gradual, 1))
        after += len(self.reference.truth) * (rng.random(size) < share)
        rows = np.concatenate([before, after], axis=1)
        population = np.concatenate([stack_predictions(self.reference), shift.predictions])
        return rows, self.pair_with_references(population, rows, rng)


def compute_delays(positions):
    """Compute how soon a shift is detected, from the row of the alert of each stream, or infinity.

    Streams with an alert before the shift are left out: it cannot be detected any more.

    Returns
    -------
    dict
        ``detected_within_N``, the share of streams, and ``median_delay``, in predictions; None
        where they are undefined.
    """
    delays = np.array([row - BEFORE_SHIFT + 1 for row in positions if row >= BEFORE_SHIFT])
    median = np.median(delays) if len(delays) else np.inf
    return {
        f"detected_within_{n}": float(np.mean(delays <= n)) if len(delays) else None for n in WITHIN
    } | {"median_delay": int(median) if np.isfinite(median) else None}
