"""Fitting of the codebook on training images, without their labels."""

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from flowers.base.errors import BadInput
from flowers.base.parallel import parallel_map
from flowers.features.codebook import Codebook, DescriptorMixture
from flowers.features.descriptors import WIDTHS, compute_descriptors

COMPONENTS = {"sift": 64, "opponent": 64, "lcs": 48}  # of each descriptor type
MIN_WEIGHT = 1e-6  # of a Gaussian, so that an empty one has a logarithm
# Iterations of expectation maximisation: first on every third descriptor, then on all.
STEPS = 9 * (3,) + 3 * (1,)
VARIANCE_FLOOR = 1e-3  # added to each variance, as a fraction of the mean variance
BLOCK = 4096  # descriptors at a time, so that memory does not grow with words times descriptors


@dataclass(frozen=True)
class CodebookParams:
    """Parameters of a codebook.

    Attributes
    ----------
    scales : tuple of float
        Factors of the image's side at which descriptors are extracted.
    words : int
        Gaussians in each mixture.
    photos, per_photo : int
        Maximum numbers of training images, and of descriptors of each image.
    seed : int
    """

    scales: tuple
    words: int
    photos: int
    per_photo: int
    seed: int


def sample_descriptors(image, size, scales, count, seed):
    """Sample descriptors of an image at random from all scales.

    Parameters
    ----------
    image, size : ndarray of shape (s, s, 3), uint8; sequence of two int
        Image, and width and height of the original image.
    scales, count : sequence of float, int
        Scales, and maximum number of descriptors.
    seed : int or sequence of int

    Returns
    -------
    descriptors : dict of name to ndarray of shape (m, width), float32
    positions : ndarray of shape (m, 2), float32
    """
    descriptors, positions = compute_descriptors(image, size, scales)
    chosen = np.random.default_rng(seed).permutation(len(positions))[:count]
    return {name: rows[chosen] for name, rows in descriptors.items()}, positions[chosen]


def select_images(images, sizes, rows, params):
    """Yield the arguments of `sample_descriptors` for images selected at random among `rows`.

    Parameters
    ----------
    images, sizes, rows : ndarray of shape (n, s, s, 3), uint8; (n, 2), int; (m,), int
        Images, width and height of the original images, and numbers of the training images.
    params : CodebookParams
    """
    chosen = np.random.default_rng(params.seed).permutation(rows)[: params.photos]
    for row in np.sort(chosen):
        yield images[row], sizes[row], params.scales, params.per_photo, (params.seed, int(row))


def fit_codebook(samples, params):
    """Fit the mixtures of all descriptor types in parallel.

    Parameters
    ----------
    samples : list of (descriptors, positions)
        From `sample_descriptors`.
    params : CodebookParams

    Raises
    ------
    BadInput
        If there are fewer descriptors than words.
    """
    positions = np.concatenate([places for _, places in samples])
    if len(positions) < params.words:
        remedy = "set it lower, or codebook.photos or codebook.per_photo higher"
        count = f"{params.words} words from {len(positions)} descriptors"
        raise BadInput(f"codebook.words: {count}; {remedy}")
    tasks = (
        (name, np.concatenate([descriptors[name] for descriptors, _ in samples]), positions, params)
        for name in WIDTHS
    )
    # The order of sums depends on the number of threads. Around the workers too: a task that ends
    # must not lift the limit of another one.
    with threadpool_limits(1):
        mixtures = dict(zip(WIDTHS, parallel_map(fit_mixture, tasks), strict=True))
    return Codebook(params.scales, mixtures)


def fit_mixture(name, descriptors, positions, params):
    """Fit projection and mixture of one descriptor type.

    Principal components of the standardised descriptors, not whitened; x and y, scaled to the
    standard deviation of the first component, are appended (Sanchez, Perronnin & de Campos 2012);
    a mixture of Gaussians with diagonal covariances, initialised by k-means++.

    Parameters
    ----------
    name : str
        Key of ``COMPONENTS``.
    descriptors, positions : ndarray of shape (n, width), (n, 2), float32
    params : CodebookParams

    Returns
    -------
    DescriptorMixture
    """
    with threadpool_limits(1):
        mean, deviation, correlation = _compute_correlation(descriptors)
        eigenvalues, axes = np.linalg.eigh(correlation)
        axes = axes[:, ::-1][:, : COMPONENTS[name]]
        axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
        projection = (axes / deviation[:, None]).astype(np.float32)
        offset = mean.astype(np.float32) @ projection
        position_scale = np.float32(eigenvalues[-1] ** 0.5 / max(positions.std(), 1e-3))
        rows = np.hstack([descriptors @ projection - offset, positions * position_scale])
        floor = np.float32(VARIANCE_FLOOR * max(float(rows.var(axis=0).mean()), 1e-3))
        weights = np.full(params.words, 1 / params.words, np.float32)
        means = _choose_means(rows[:: STEPS[0]], params.words, params.seed)
        variances = np.tile(rows.var(axis=0) + floor, (params.words, 1))
        start = DescriptorMixture(projection, offset, position_scale, weights, means, variances)
        return _run_em(start, rows, floor)


def _choose_means(rows, count, seed):
    """Choose rows far from each other at random (k-means++, Arthur & Vassilvitskii 2007)."""
    rng = np.random.default_rng(seed)
    norms = np.einsum("ij,ij->i", rows, rows)
    distances = np.full(len(rows), np.inf)
    chosen = [int(rng.integers(len(rows)))]
    while len(chosen) < count:
        last = chosen[-1]
        to_last = norms - 2 * (rows @ rows[last]) + norms[last]
        np.minimum(distances, to_last.clip(0), out=distances)
        totals = distances.cumsum()
        position = np.searchsorted(totals, rng.random() * totals[-1], side="right")
        chosen.append(min(int(position), len(rows) - 1))  # beyond the end if all rows are equal
    return rows[chosen]


def _compute_correlation(descriptors):
    """Mean, standard deviation and correlation matrix of descriptors, float64."""
    mean = descriptors.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    for start in range(0, len(descriptors), BLOCK):
        centred = descriptors[start : start + BLOCK] - mean.astype(np.float32)
        covariance += centred.T @ centred
    covariance /= len(descriptors)
    deviation = np.maximum(np.sqrt(covariance.diagonal()), 1e-4)
    return mean, deviation, covariance / np.outer(deviation, deviation)


def _run_em(mixture, rows, floor):
    """Maximise the likelihood by expectation maximisation (Bishop 2006, section 9.2.2)."""
    for step in STEPS:
        chosen = rows[::step]
        blocks = (chosen[k : k + BLOCK] for k in range(0, len(chosen), BLOCK))
        statistics = sum(mixture.sum_statistics(block).astype(np.float64) for block in blocks)
        counts = np.maximum(statistics[:, :1], MIN_WEIGHT)
        means, squares = np.hsplit(statistics[:, 1:] / counts, 2)
        weights = np.maximum(statistics[:, 0] / len(chosen), MIN_WEIGHT)
        variances = np.maximum(squares - means**2, 0) + floor
        updated = {"weights": weights, "means": means, "variances": variances}
        mixture = replace(mixture, **{k: v.astype(np.float32) for k, v in updated.items()})
    return mixture
