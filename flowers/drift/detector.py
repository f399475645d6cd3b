"""The drift detector: when a stream of predictions changed, since when, and the kind of change.

There are two kinds. Under label shift the class proportions change, and the predictions of
each class stay as they were. Under covariate or concept shift the images, or their relation to the
classes, change. Three detectors run side by side: a test martingale and Hotelling's T² on scores
that are adjusted for label shift, and T² with run rules on the class proportions.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from flowers.drift.label_shift import Population
from flowers.drift.martingale import run_martingale
from flowers.drift.mean_tests import LENGTHS, MeanTests
from flowers.drift.windows import compare_adjusted

MARTINGALE = "martingale"
SCORES = "scores"
PROPORTIONS = "class proportions"
DETECTORS = (MARTINGALE, SCORES, PROPORTIONS)
LABELS = "labels"  # detector of the performance check (flowers.drift.report)
COVARIATE_SHIFT = "covariate or concept shift"
LABEL_SHIFT = "label shift"
PERFORMANCE_DROP = "performance drop"
# Levels of the T² tests, which are repeated at each checkpoint for years: chosen so that
# simulated traffic, bursts and days included, rarely raises a false alarm. Scores of fewer
# predictions are tested again more often, at a level that is lower in proportion.
SCORE_LEVELS = 1e-4 * np.array(LENGTHS) / LENGTHS[-1]
PROPORTION_LEVEL = 3e-5
# Minimum number of windows since a change from which its kind and details are computed.
MIN_CHANGE_WINDOWS = 2


@dataclass(frozen=True)
class Stream:
    """Predictions in the order of time.

    Attributes
    ----------
    probabilities : ndarray of shape (n, n_classes)
    day : ndarray of shape (n,), int
        Day of each prediction, ascending.
    ties : ndarray of shape (n,), range (0, 1)
        Break ties of ranks.
    """

    probabilities: np.ndarray
    day: np.ndarray
    ties: np.ndarray

    @classmethod
    def from_rows(cls, rows):
        """Make a stream of rows of the log (``flowers.log.table.build_row_dtype``)."""
        day = rows["time"].astype("M8[D]").astype(int)
        return cls(rows["probabilities"], day, compute_ties(rows))


def compute_ties(rows):
    """Hash the probabilities and image statistics of each row to a number in (0, 1), (n,)."""
    content = np.concatenate([rows["probabilities"], rows["image"]], axis=1).astype("<f4")
    return (np.array([crc32(row.tobytes()) for row in content], float) + 0.5) / 2**32


@dataclass(frozen=True)
class Alert:
    """The first detection in a stream.

    Attributes
    ----------
    detector : {"martingale", "scores", "class proportions", "labels"}
    change_start, position : int
        Rows of the stream: where the change seems to start, and where it was detected.
    """

    detector: str
    change_start: int
    position: int


@dataclass(frozen=True)
class Detection:
    """The result of `detect`.

    Attributes
    ----------
    alert : Alert or None
    log_wealth : ndarray of shape (n,)
        Log wealth of the test martingale after each prediction.
    tests : MeanTests
    """

    alert: Alert | None
    log_wealth: np.ndarray
    tests: MeanTests


def detect(reference, stream, params, inputs=None):
    """Detect the first change in a stream of predictions.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
        One row per near-duplicate group (`keep_one_per_group`).
    stream : Stream
    params : dict
        ``wealth_limit``, ``window`` and ``proportion_tolerance`` of the section ``drift``.
    inputs : tuple, optional
        Of `compute_inputs` for this reference set and stream, if it was run for several streams.

    Returns
    -------
    Detection

    Examples
    --------
    A model with two classes is less certain from prediction 600 on:

    >>> from flowers.model.reference import Reference
    >>> rng = np.random.default_rng(0)
    >>> def predict(truth, strength):
    ...     odds = np.exp(rng.normal(2 * truth - 1, 1) * strength)
    ...     return np.column_stack([1 / (1 + odds), odds / (1 + odds)])
    >>> truth = rng.integers(0, 2, 200)
    >>> groups = np.arange(200)
    >>> reference = Reference(
    ...     ["Lotus", "Tulip"], groups, groups, truth, predict(truth, 3), np.zeros((200, 8))
    ... )
    >>> late = rng.integers(0, 2, 1200)
    >>> probabilities = predict(late, np.where(np.arange(1200) < 600, 3, 1))
    >>> stream = Stream(probabilities, day=np.arange(1200) // 400, ties=rng.random(1200))
    >>> params = {"wealth_limit": 1000, "window": 400, "proportion_tolerance": 0.1}
    >>> detect(reference, stream, params).alert
    Alert(detector='martingale', change_start=600, position=699)
    """
    if inputs is None:
        m = len(reference.truth)
        population = np.concatenate([reference.probabilities, stream.probabilities])
        rows = np.arange(len(population))[None]
        (inputs,) = compute_inputs(
            population, reference.truth, rows[:, :m], rows[:, m:], stream.ties[None], params
        )
    log_wealth, *scores = inputs
    tests = MeanTests.from_scores(reference.truth, *scores, stream.day, params)
    return Detection(find_first_alert(log_wealth, tests, params), log_wealth, tests)


def compute_inputs(population, truth, references, streams, ties, params):
    """Compute the inputs of the detectors for streams whose predictions are rows of one population.

    Scores are ranked once for the population, and the test martingales run side by side.

    Parameters
    ----------
    population : ndarray of shape (u, n_classes)
        Probabilities.
    truth : ndarray of shape (at least m,), int
        Class indices of the first rows, from which the reference sets are drawn.
    references, streams : ndarray of shape (s, m), (s, n), int
        Rows of the population.
    ties : ndarray of shape (s, n), range (0, 1)
    params : dict
        ``proportion_tolerance``.

    Yields
    ------
    log_wealth : ndarray of shape (n,)
        Log wealth of the test martingale after each prediction of a stream.
    reference, stream : (ndarray of shape (m, d), (m, n_classes)); (n, d), (n, n_classes)
        Adjusted scores and class-proportion estimates (``Population.adjust_scores``).
    """
    ranked = Population(population)
    adjusted = [ranked.adjust_scores(rows, truth[rows]) for rows in references]
    codes = [ranked.select_codes(x, params["proportion_tolerance"]) for x, _ in adjusted]
    reference_codes = np.stack([c[rows] for c, rows in zip(codes, references, strict=True)])
    stream_codes = np.stack([c[rows] for c, rows in zip(codes, streams, strict=True)])
    log_wealth = run_martingale(reference_codes, stream_codes, ties)
    for wealth, arrays, *spans in zip(log_wealth, adjusted, references, streams, strict=True):
        yield wealth, *(tuple(array[rows] for array in arrays) for rows in spans)


def keep_one_per_group(reference):
    """Keep the first image of each near-duplicate group: the tests assume independent rows."""
    return reference.select(np.sort(np.unique(reference.group, return_index=True)[1]))


def find_first_alert(log_wealth, tests, params):
    """Find the first detection of any detector, an `Alert` or None.

    Parameters
    ----------
    log_wealth : ndarray of shape (n,)
    tests : MeanTests
    params : dict
        ``wealth_limit``.
    """
    spans = [
        (SCORES, tests.find_first_low("scores", SCORE_LEVELS)),
        (PROPORTIONS, tests.find_first_low("proportions", PROPORTION_LEVEL)),
        (PROPORTIONS, tests.find_first_run()),
    ]
    alerts = [Alert(detector, span[0], span[1] - 1) for detector, span in spans if span]
    high = log_wealth >= np.log(params["wealth_limit"])
    if high.any():
        position = int(high.argmax())
        lowest = int(np.r_[0.0, log_wealth[:position]].argmin())
        alerts.insert(0, Alert(MARTINGALE, lowest, position))  # first of those at one position
    return min(alerts, key=lambda alert: alert.position, default=None)


def classify_change(alert, tests, reference, probabilities, params):
    """Classify the kind of change behind an alert, as one of the constants above.

    The test martingale and the score tests are adjusted for label shift, so their alerts are
    covariate or concept shift. After an alert of the class proportions the predictions since the
    change are tested again: their adjusted scores, and their distribution against the reference
    set reweighted to their class proportions. If neither differs, it is label shift.

    Parameters
    ----------
    alert, tests, reference, probabilities
        Of the stream; as in `Detection` and `detect`.
    params : dict
        ``alpha`` and ``window``.
    """
    if alert.detector == LABELS:
        return PERFORMANCE_DROP
    if alert.detector != PROPORTIONS:
        return COVARIATE_SHIFT
    changed = select_changed_rows(alert, probabilities, params["window"])
    p_values, *_ = compare_adjusted(reference, changed[None])
    p_scores = tests.get_score_p_value(alert.change_start, alert.change_start + len(changed))
    differs = min(p_values.min(), p_scores) <= params["alpha"]
    return COVARIATE_SHIFT if differs else LABEL_SHIFT


def select_changed_rows(alert, rows, window):
    """Select the rows from the start of the change to the alert, or two windows if that is more.

    Parameters
    ----------
    alert, rows, window : Alert, ndarray of shape (n, ...), int
        Alert, rows of the stream, and number of predictions in a window.
    """
    stop = max(alert.position + 1, alert.change_start + MIN_CHANGE_WINDOWS * window)
    return rows[alert.change_start : stop]
