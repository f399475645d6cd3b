"""Typicality: the share of an image's features that the directions of the training images explain.

Each feature is divided by its standard deviation, and the row is reduced by a random sketch
(Charikar, Chen & Farach-Colton 2002, "Finding Frequent Items in Data Streams"), which preserves
scalar products. The score is the share of the squared distance from the mean that lies in the
space of the first principal components of the training rows: 1 minus the relative squared
prediction error of process monitoring (Jackson & Mudholkar 1979). It uses no labels and no
classifier, so it exists for all features and models.
"""

from dataclasses import dataclass

import numpy as np

from flowers.base.tables import atomic_write
from flowers.learning.standardisation import compute_moments, split_range

# Chosen on 1,502 real photos: half or twice of each changes no area under the curve by 3 points.
WIDTH = 512  # of a sketch
COMPONENTS = 32  # of at most a quarter of the rows, and an eighth of the width
MAX_ROWS = 1000  # training rows that are read
ROWS = 64  # converted to float32 at once
QUANTILE = 0.01  # of the reference set, below which an image is atypical
SEED = 0


@dataclass(frozen=True)
class Typicality:
    """A fitted score.

    Attributes
    ----------
    weight : ndarray of shape (d,), float32
        Random sign, divided by the standard deviation of the feature.
    mean : ndarray of shape (w,), float64
        Of the sketches of the training rows.
    components : ndarray of shape (q, w), float32
        Orthonormal.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> axes = rng.normal(size=(2, 200))
    >>> typicality = fit_typicality(rng.normal(size=(100, 2)) @ axes, np.arange(100))
    >>> typicality.score(rng.normal(size=(2, 2)) @ axes).round(3)
    array([1., 1.])
    >>> (typicality.score(rng.normal(size=(2, 200))) < 0.5).tolist()
    [True, True]
    """

    weight: np.ndarray
    mean: np.ndarray
    components: np.ndarray

    def score(self, features):
        """Score rows (n, d), any real dtype: float64, shape (n,), range [0, 1]."""
        # Row by row, so that the bits do not depend on the batch.
        return np.array([self._score_sketch(row - self.mean) for row in self._sketch(features)])

    def _score_sketch(self, row):
        total = row @ row
        inside = self.components.astype(float) @ row
        return min(float(inside @ inside / total), 1.0) if total else 1.0

    def _sketch(self, features):
        return sketch_rows(features, self.weight, len(self.mean))

    def write(self, path):
        """Write the score as .npz without a date, so that equal scores are equal bytes."""
        with atomic_write(path) as target, target.open("wb") as file:
            np.savez(file, weight=self.weight, mean=self.mean, components=self.components)


def read_typicality(path):
    """Read a `Typicality` that `Typicality.write` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return Typicality(arrays["weight"], arrays["mean"], arrays["components"])


def sketch_rows(features, weight, width):
    """Sum every `width`-th weighted feature: (n, d) to (n, width), float64."""
    sketches = np.zeros((len(features), width))
    for rows in split_range(len(features), ROWS):
        weighted = np.multiply(features[rows], weight, dtype=np.float32)
        padded = np.pad(weighted, ((0, 0), (0, -weighted.shape[1] % width)))
        sketches[rows] = padded.reshape(len(weighted), -1, width).sum(axis=1)
    return sketches


def fit_typicality(X, train):
    """Fit the score on training rows.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    train : ndarray of shape (m,), int
        Rows of `X`, of which at most ``MAX_ROWS`` are read, evenly spaced.

    Returns
    -------
    Typicality
    """
    X = X[train[np.linspace(0, len(train) - 1, min(len(train), MAX_ROWS)).astype(int)]]
    _, scale = compute_moments(X)
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], len(scale))
    weight = (signs / scale).astype(np.float32)
    sketches = sketch_rows(X, weight, min(WIDTH, X.shape[1]))
    mean = sketches.mean(axis=0)
    count = max(1, min(COMPONENTS, len(X) // 4, sketches.shape[1] // 8))
    axes = np.linalg.svd(sketches - mean, full_matrices=False)[2]
    return Typicality(weight, mean, axes[:count].astype(np.float32))


def choose_threshold(scores):
    """Choose the score below which an image counts as atypical, from those of a reference set."""
    return float(np.quantile(scores, QUANTILE))
