"""Typicality: how close the features of an image are to those of the training images.

Each feature is divided by its standard deviation, and the row is reduced by a random sketch
(Charikar, Chen & Farach-Colton 2002, "Finding Frequent Items in Data Streams"), which preserves
distances. The score compares the squared distance of the sketch from the space of the first
principal components of the training rows, the squared prediction error of process monitoring
(Jackson & Mudholkar 1979, "Control Procedures for Residuals Associated with Principal Component
Analysis"), with its mean over the training rows. It uses no labels and no classifier, so it exists
for all features and models.
"""

from dataclasses import dataclass

import numpy as np

from flowers.base.tables import atomic_write
from flowers.learning.standardisation import compute_moments, split_range

# Of a sketch: a wider one separates better and takes longer; study/typicality.py measures it.
WIDTH = 2048
COMPONENTS = 16  # of at most a quarter of the rows, and an eighth of the width
MAX_ROWS = 1000  # training rows that are read
ROWS = 64  # converted to float32 at once
QUANTILE = 0.025  # of the reference set, below which an image counts as atypical
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
    spread : ndarray of shape (), float64, > 0
        Mean squared distance of the training rows from the space of the components.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> axes = rng.normal(size=(2, 200))
    >>> rows = rng.normal(size=(100, 2)) @ axes + 0.1 * rng.normal(size=(100, 200))
    >>> typicality = fit_typicality(rows, np.full(100, True))
    >>> noise = rng.normal(size=(2, 200))
    >>> like = rng.normal(size=(2, 2)) @ axes + 0.1 * noise
    >>> bool(typicality.score_rows(like).min() > 0.3 > typicality.score_rows(noise).max())
    True
    """

    weight: np.ndarray
    mean: np.ndarray
    components: np.ndarray
    spread: np.ndarray

    def score_rows(self, features):
        """Score rows (n, d), any real dtype.

        Returns
        -------
        ndarray of shape (n,), float64, range [0, 1]
            0.5 for a row as far from the space as the training rows are on average; 0 far away.
        """
        sketches = sketch_rows(features, self.weight, len(self.mean)) - self.mean
        return self.spread / (self.spread + measure_distances(sketches, self.components))

    def write_file(self, path):
        """Write the score as .npz without a date, so that equal scores are equal bytes."""
        with atomic_write(path) as target, target.open("wb") as file:
            np.savez(file, **vars(self))


def read_typicality(path):
    """Read a `Typicality` that `Typicality.write_file` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return Typicality(**arrays)


def sketch_rows(features, weight, width):
    """Sum every `width`-th weighted feature: (n, d) to (n, width), float64."""
    sketches = np.zeros((len(features), width))
    for rows in split_range(len(features), ROWS):
        weighted = np.multiply(features[rows], weight, dtype=np.float32)
        padded = np.pad(weighted, ((0, 0), (0, -weighted.shape[1] % width)))
        sketches[rows] = padded.reshape(len(weighted), -1, width).sum(axis=1)
    return sketches


def measure_distances(sketches, components):
    """Measure the squared distance of sketches (n, w) from the space of components, (n,)."""
    axes = components.astype(float)
    # Row by row, so that the bits do not depend on the batch.
    inside = [np.square(axes @ row).sum() for row in sketches]
    return np.maximum(np.square(sketches).sum(axis=1) - inside, 0.0)


def fit_typicality(X, train):
    """Fit the score on training rows.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    train : ndarray of shape (n,), bool
        Training rows, of which at most ``MAX_ROWS`` are read, evenly spaced.

    Returns
    -------
    Typicality
    """
    rows = np.flatnonzero(train)
    X = X[rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).astype(int)]]
    _, scale = compute_moments(X)
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], len(scale))
    weight = (signs / scale).astype(np.float32)
    sketches = sketch_rows(X, weight, min(WIDTH, X.shape[1]))
    mean = sketches.mean(axis=0)
    count = max(1, min(COMPONENTS, len(X) // 4, sketches.shape[1] // 8))
    sketches -= mean
    axes = np.linalg.svd(sketches, full_matrices=False)[2][:count].astype(np.float32)
    spread = max(measure_distances(sketches, axes).mean(), np.finfo(float).tiny)
    return Typicality(weight, mean, axes, np.array(spread))


def choose_threshold(scores):
    """Choose the score below which an image counts as atypical, from those of a reference set."""
    return float(np.quantile(scores, QUANTILE))
