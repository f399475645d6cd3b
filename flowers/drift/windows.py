"""The windows of a stream against the held-out photos, apart from the mix of classes."""

from dataclasses import dataclass

import numpy as np

from flowers.base.tables import round_floats
from flowers.drift import mix
from flowers.drift.alarm import first_of_groups, holm, kolmogorov_smirnov, windows_of

COLUMNS = (
    *(
        "start",
        "end",
        "predictions",
        "p_value",
        "effect",
        "differs",
        "proportion_change",
        "proportion_moved",
    ),
)


@dataclass(frozen=True)
class Held:
    """Held-out photos that answers are compared with, one of each group of twins.

    Attributes
    ----------
    probabilities : ndarray of shape (m, n_classes)
    truth : ndarray of shape (m,), int
    image : ndarray of shape (m, d)
    """

    probabilities: np.ndarray
    truth: np.ndarray
    image: np.ndarray

    @classmethod
    def of(cls, held_out):
        """Take them from a ``flowers.model.reference.Reference``."""
        kept = first_of_groups(held_out.group)
        return cls(held_out.probabilities[kept], held_out.truth[kept], held_out.image[kept])


@dataclass(frozen=True)
class Windows:
    """Full windows of a stream, oldest first.

    Attributes
    ----------
    spans : list of (start, stop)
    p_values : ndarray of shape (k, n_classes)
        Of Kolmogorov-Smirnov on each probability, the held-out photos reweighted to the mix of the
        window as far as that is tolerated; adjusted for the number of classes (Holm).
    effects, change, noise : ndarray of shape (k, n_classes)
        The distances; the change of the share of each class, and its standard deviation.
    """

    spans: list
    p_values: np.ndarray
    effects: np.ndarray
    change: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, held, probabilities, size, tolerance):
        """Compare all windows of `size` of a stream, (n, n_classes), with the held-out photos."""
        spans, n_classes = windows_of(len(probabilities), size), probabilities.shape[1]
        inside = probabilities[: len(spans) * size].reshape(len(spans), size, n_classes)
        return cls(spans, *compared(held, inside, tolerance))

    def differing(self, alpha):
        """Which windows differ by more than a tolerable mix, (k,) bool."""
        return (self.p_values <= alpha).any(axis=1)

    def moved(self, alpha):
        """Which classes surely come less or more often: -1, 0 or 1, (k, n_classes)."""
        far = np.abs(self.change) > mix.sure(self.change.shape[1], alpha) * self.noise
        return np.sign(self.change) * far

    def rows(self, times, params):
        """Rows of the table of windows."""
        differing, moved = self.differing(params["alpha"]), self.moved(params["alpha"])
        return [
            {
                "start": times[start],
                "end": times[stop - 1],
                "predictions": stop - start,
                "p_value": round_floats(p.min()),
                "effect": round_floats(effect.max()),
                "differs": int(differs),
                "proportion_change": round_floats(np.abs(change).max()),
                "proportion_moved": int(classes.any()),
            }
            for (start, stop), p, effect, differs, change, classes in zip(
                self.spans, self.p_values, self.effects, differing, self.change, moved, strict=True
            )
        ]


def compared(held, windows, tolerance=1.0):
    """Test windows against held-out photos that are reweighted to the mix of each window.

    Parameters
    ----------
    held : Held
    windows : ndarray of shape (k, n, n_classes)
    tolerance : float in [0, 1]
        The share of a class is moved by no more than this: what it takes beyond is a difference.

    Returns
    -------
    p_values, effects, change, noise
        As of `Windows`.
    """
    if not len(windows):
        return (np.empty((0, windows.shape[2])),) * 4
    change, noise = mix.changes(held.probabilities, held.truth, windows)
    allowed = np.clip(change, -tolerance, tolerance)
    weights = mix.reweighted(held.truth, windows.shape[2], allowed)
    p_values, effects = kolmogorov_smirnov(held.probabilities, windows, weights)
    return holm(p_values), effects, change, noise
