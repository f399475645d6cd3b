"""The drift detector: when a stream of predictions changed, since when, and the kind of change.

There are two kinds. Under label shift the class proportions change, and the predictions of
each class stay as they were. Under covariate or concept shift the images, or their relation to the
classes, change. Two tests run side by side: Hotelling's T² on scores that are adjusted for label
shift, and run rules on the class proportions.
"""

from dataclasses import dataclass

import numpy as np

from flowers.base.groups import find_first_of_groups
from flowers.drift.label_shift import ScoreAdjustment
from flowers.drift.mean_tests import MeanTests

SCORES = "scores"
PROPORTIONS = "class proportions"
DETECTORS = (SCORES, PROPORTIONS)
LABELS = "labels"  # detector of the performance check (flowers.drift.report)
COVARIATE_SHIFT = "covariate_shift"
LABEL_SHIFT = "label_shift"
PERFORMANCE = "performance"
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
    typicality : ndarray of shape (n,), optional
        Needed if the reference set has a typicality.
    """

    probabilities: np.ndarray
    day: np.ndarray
    typicality: np.ndarray | None = None

    @classmethod
    def from_rows(cls, rows):
        """Make a stream of rows of the log (``flowers.log.table.build_row_dtype``)."""
        day = rows["time"].astype("M8[D]").astype(int)
        return cls(rows["probabilities"], day, rows["typicality"])


@dataclass(frozen=True)
class Alert:
    """The first detection in a stream.

    Attributes
    ----------
    detector : {"scores", "class proportions", "labels"}
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
    tests : MeanTests
    score_names : list of (str, str, str)
        From ``flowers.drift.label_shift.ScoreAdjustment.name_scores``.
    before, now : (ndarray of shape (m, d), (m, n_classes)), ((n, d), (n, n_classes))
        Adjusted scores and class-proportion estimates of the reference set and of the stream.
    """

    alert: Alert | None
    tests: MeanTests
    score_names: list
    before: tuple
    now: tuple


def detect(reference, stream, params):
    """Detect the first change in a stream of predictions.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
        One row per near-duplicate group (`keep_one_per_group`).
    stream : Stream
    params : dict
        ``window`` and ``proportion_tolerance`` of the section ``drift``.

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
    >>> stream = Stream(probabilities, day=np.arange(1200) // 400)
    >>> params = {"window": 400, "proportion_tolerance": 0.1}
    >>> detect(reference, stream, params).alert
    Alert(detector='scores', change_start=600, position=699)
    """
    adjustment = ScoreAdjustment(reference)
    before = adjustment.adjust_scores(reference)
    now = adjustment.adjust_scores(stream)
    columns = adjustment.alone
    tests = MeanTests.from_scores(reference.truth, before, now, stream.day, params, columns)
    return Detection(find_first_alert(tests), tests, adjustment.name_scores(), before, now)


def keep_one_per_group(reference):
    """Keep the first image of each near-duplicate group: the tests assume independent rows."""
    return reference.select(find_first_of_groups(reference.group))


def find_first_alert(tests):
    """Find the first detection in `MeanTests`, an `Alert` or None."""
    spans = (SCORES, tests.find_first_low()), (PROPORTIONS, tests.find_first_run())
    alerts = [Alert(detector, span[0], span[1] - 1) for detector, span in spans if span]
    return min(alerts, key=lambda alert: alert.position, default=None)


def classify_change(alert, tests, params):
    """Classify the kind of change behind an alert, as one of the constants above.

    The scores are adjusted for label shift, so their alerts are covariate or concept shift. After
    an alert of the class proportions the scores of the predictions since the change are tested
    again, at the level ``alpha``. If they do not differ, it is label shift.

    Parameters
    ----------
    alert, tests : Alert, MeanTests
    params : dict
        ``alpha`` and ``window``.
    """
    if alert.detector == LABELS:
        return PERFORMANCE
    if alert.detector == SCORES:
        return COVARIATE_SHIFT
    changed = get_changed_span(alert, params["window"])
    p_value = tests.get_p_value(changed.start, changed.stop)
    return COVARIATE_SHIFT if p_value <= params["alpha"] else LABEL_SHIFT


def get_changed_span(alert, window):
    """Slice of the stream from the start of the change to the alert, or two windows if longer."""
    stop = max(alert.position + 1, alert.change_start + MIN_CHANGE_WINDOWS * window)
    return slice(alert.change_start, stop)
