"""Sums of a stream at each checkpoint, their variance, and the usual class proportions."""

from functools import cached_property

import numpy as np

from flowers.drift.label_shift import LAGS, compute_design_effects, cumulate_rows

STEP = 50  # predictions between checkpoints
# Covariance and design effects are those before the newest predictions, but of at least these many
# from the start of the stream, so that a change does not inflate its own variance.
MIN_HISTORY = 500
RIDGE = 0.01  # added to correlations: scores may be nearly collinear


class History:
    """Sums, covariance and design effect of a stream at each checkpoint.

    Parameters
    ----------
    reference, stream : ndarray of shape (m, d), (n, d)
        Predictions of the stream that do not fill a step are left out.

    Attributes
    ----------
    reference, stream : ndarray of shape (m, d), (t * STEP, d)
        Minus the mean of the reference set.
    ends : ndarray of shape (t,), int
        Predictions before each checkpoint.
    sums : ndarray of shape (t + 1, d)
        Of the stream, before it and up to each checkpoint.
    design_effects : ndarray of shape (t,)
        Estimates plus their standard error.
    marks : ndarray of shape (k,), int
        Checkpoints at which the covariance is computed: all at first, then at doubling distances.
    covariance : ndarray of shape (k, d, d)
        Pooled within the reference set and within the stream up to each mark: a stream that differs
        from the reference set from its start on does not inflate it.
    """

    def __init__(self, reference, stream):
        centre = reference.mean(axis=0)
        count = len(stream) // STEP
        self.reference = reference - centre
        self.stream = stream[: count * STEP] - centre
        blocks = self.stream.reshape(count, STEP, reference.shape[1])
        self.ends = STEP * np.arange(1, count + 1)
        self.sums = cumulate_rows(blocks.sum(axis=1))
        # Approximate standard error of an autocorrelation sum of this many predictions.
        error = np.sqrt(2 * (1 + 2 * LAGS) / (self.ends * reference.shape[1]))
        self.design_effects = compute_design_effects(self.stream, self.ends) * (1 + error)
        first = MIN_HISTORY // STEP
        marks = [*range(first - 1), *(2**k * first - 1 for k in range(32))]
        self.marks = np.array([mark for mark in marks if mark < count], int)
        ends = self.ends[self.marks][:, None, None]
        mean = self.sums[self.marks + 1] / ends[:, 0]
        parts = np.split(self.stream, self.ends[self.marks])[: len(self.marks)]
        products = [part.T @ part for part in parts] or np.empty((0, *2 * self.sums.shape[1:]))
        within = np.cumsum(products, axis=0) - ends * mean[:, :, None] * mean[:, None, :]
        within += self.reference.T @ self.reference
        self.covariance = within / (len(reference) + ends)

    @cached_property
    def whitening(self):
        """Axes (columns) along which the covariance is the identity, (k, d, d)."""
        size = np.sqrt(np.maximum(np.einsum("kii->ki", self.covariance), 1e-12))
        correlation = self.covariance / size[:, :, None] / size[:, None, :]
        spread, axes = np.linalg.eigh(correlation + RIDGE * np.eye(size.shape[1]))
        return axes / size[:, :, None] / np.sqrt(spread)[:, None, :]

    def sum_between(self, start, stop):
        """Sum the predictions between checkpoints `start` and `stop`, (j,) int each; (j, d)."""
        return self.sums[stop] - self.sums[start]

    def get_dependence(self, start, stop):
        """Return design effects and marks (indices of ``covariance``), (j,), before `start`.

        `start` and `stop` count checkpoints; the newest predictions are between them.
        """
        earlier = np.minimum(stop, np.maximum(start, MIN_HISTORY // STEP)) - 1
        mark = np.searchsorted(self.marks, earlier, side="right") - 1
        return self.design_effects[earlier], mark


class Baseline:
    """Usual class proportions of a stream at each checkpoint.

    The predictions of a day share its deviation, so long days are weighted down.

    Parameters
    ----------
    history : History
        Of class-proportion estimates.
    day, day_sd : ndarray of shape (n,), int; float
        Day of each prediction, ascending; standard deviation of a class proportion between days.

    Attributes
    ----------
    mean : ndarray of shape (t + 1, n_classes)
        Of the reference set and the stream before it and up to each checkpoint, minus the mean of
        the reference set.
    photo_share, day_share : ndarray of shape (t + 1,)
        Its variance as multiples of that of a single prediction and of a day.
    stops : ndarray of shape (days,), int
        Predictions before the end of each day.
    day_length : ndarray of shape (t + 1,)
        Mean number of predictions of the full days before each checkpoint; 0 on the first day.
    """

    def __init__(self, history, day, day_sd):
        reference = history.reference
        day = day[: len(history.stream)]
        starts = np.flatnonzero(np.diff(day, prepend=day[:1] - 1))
        stops = np.append(starts, len(day))[1:]
        # Ratio of the variance between days to that of a single prediction.
        ratio = day_sd**2 * (1 - 1 / reference.shape[1])
        ratio = ratio / max(reference.var(axis=0).mean(), 1e-12)
        sums = cumulate_rows(history.stream)

        def weigh_days(start, stop):
            length = stop - start
            weight = 1 / (1 + length * ratio)
            photos = weight * length
            return np.column_stack(
                [weight[:, None] * (sums[stop] - sums[start]), photos, weight * photos, photos**2]
            )

        # Before each checkpoint there are whole days and a part of one.
        checkpoints = np.append(0, history.ends)
        full_days = np.searchsorted(stops, checkpoints)
        begun = np.append(starts, len(day))[full_days]
        totals = cumulate_rows(weigh_days(starts, stops))[full_days]
        totals += weigh_days(begun, checkpoints)
        photos, squared, days = totals[:, -3:].T
        size = len(reference) + photos
        self.mean = totals[:, :-3] / size[:, None]
        self.photo_share = (len(reference) + squared) / size**2
        self.day_share = days / size**2
        self.stops = stops
        self.day_length = begun / np.maximum(full_days, 1)

    def find_single_days(self, start, stop):
        """Find where the predictions between two checkpoints, (j,) each, are of one day."""
        first = np.searchsorted(self.stops, STEP * start, side="right")
        return first == np.searchsorted(self.stops, STEP * stop)
