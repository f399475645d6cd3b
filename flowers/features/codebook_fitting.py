"""Learning a codebook from training photos, without their labels."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from flowers.base.errors import BadInput
from flowers.base.parallel import parallel_map
from flowers.features.codebook import Codebook, DescriptorMixture
from flowers.features.descriptors import WIDTHS, compute_descriptors, resize_to_scale

# Principal components that are kept of each descriptor.
COMPONENTS = {"sift": 64, "opponent": 64, "lcs": 48}
# A word that no descriptor falls to still has a logarithm.
LEAST_SHARE = 1e-6
STEPS = 12  # of expectation maximisation
VARIANCE_FLOOR = 1e-3  # added to each variance, as a share of the mean variance
BLOCK = 4096  # descriptors at a time, so that memory does not grow with words times descriptors


@dataclass(frozen=True)
class CodebookParams:
    """How a codebook is learnt.

    Attributes
    ----------
    scales : tuple of float
    words : int
        Gaussians of each vocabulary.
    photos : int
        At most so many to learn from.
    per_photo : int
        Descriptors of each, at most.
    seed : int
    """

    scales: tuple
    words: int
    photos: int
    per_photo: int
    seed: int


def sample_descriptors(image, size, scales, count, seed):
    """Descriptors of a photo from places drawn at random out of all scales.

    Parameters
    ----------
    image : ndarray of shape (s, s, 3), uint8
    size : sequence of two int
        Width and height of the photo.
    scales : sequence of float
    count : int
        At most so many.
    seed : int or sequence of int

    Returns
    -------
    descriptors : dict of name to ndarray of shape (m, width), float32
    positions : ndarray of shape (m, 2), float32
    """
    seen = [compute_descriptors(resize_to_scale(image, size, scale)) for scale in scales]
    positions = np.concatenate([places for _, places in seen])
    chosen = np.random.default_rng(seed).permutation(len(positions))[:count]
    descriptors = {
        name: np.concatenate([found[name] for found, _ in seen])[chosen] for name in WIDTHS
    }
    return descriptors, positions[chosen]


def select_images(images, sizes, rows, recipe):
    """Say which photos to `sample_descriptors`, every other one mirrored.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    sizes : ndarray of shape (n, 2), int
    rows : ndarray of int
        The photos to learn from, of which ``recipe.photos`` are drawn.
    recipe : Recipe

    Yields
    ------
    tuple
        What `sample_descriptors` takes.
    """
    chosen = np.random.default_rng(recipe.seed).permutation(rows)[: recipe.photos]
    for k, row in enumerate(np.sort(chosen)):
        image = images[row][:, ::-1] if k % 2 else images[row]
        yield image, sizes[row], recipe.scales, recipe.per_photo, (recipe.seed, int(row))


def fit_codebook(samples, recipe):
    """Learn all vocabularies, each as a task of its own for the workers.

    Parameters
    ----------
    samples : list
        From `sample_descriptors`, of all photos.
    recipe : Recipe

    Returns
    -------
    Codebook

    Raises
    ------
    BadInput
        If there are fewer descriptors than words.
    """
    positions = np.concatenate([places for _, places in samples])
    if len(positions) < recipe.words:
        raise BadInput(
            f"codebook.words: {recipe.words} words from {len(positions)} descriptors; set it "
            "lower, or codebook.photos or codebook.per_photo higher"
        )
    tasks = (
        (name, np.concatenate([found[name] for found, _ in samples]), positions, recipe)
        for name in WIDTHS
    )
    # Here as well as in each task: what one thread gives back must not be taken from another.
    with _use_one_thread():
        found = dict(zip(WIDTHS, parallel_map(fit_mixture, tasks), strict=True))
    return Codebook(recipe.scales, found)


@contextmanager
def _use_one_thread():
    """One thread, as sums come in another order with more; no word that the steps are few."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fit_mixture(name, descriptors, positions, recipe):
    """Learn the vocabulary of one kind of descriptor.

    Principal components of the standardised descriptors, not whitened; x and y, scaled to the
    spread of the first component, are appended (Sanchez, Perronnin & de Campos 2012); a mixture
    of Gaussians with diagonal covariances, begun by k-means.

    Parameters
    ----------
    name : str
        Of ``COMPONENTS``.
    descriptors : ndarray of shape (n, width), float32
    positions : ndarray of shape (n, 2), float32
    recipe : Recipe
        With at most n words.

    Returns
    -------
    Vocabulary
    """
    with _use_one_thread():
        return _learnt(name, descriptors, positions, recipe)


def _learnt(name, descriptors, positions, recipe):
    mean, deviation, correlation = _compute_correlation(descriptors)
    strength, axes = np.linalg.eigh(correlation)
    axes = axes[:, ::-1][:, : COMPONENTS[name]]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
    projection = (axes / deviation[:, None]).astype(np.float32)
    offset = mean.astype(np.float32) @ projection
    spread = np.float32(strength[-1] ** 0.5 / max(positions.std(), 1e-3))
    rows = np.hstack([descriptors @ projection - offset, positions * spread])
    start = KMeans(recipe.words, n_init=1, max_iter=STEPS, random_state=recipe.seed).fit(rows)
    floor = np.float32(VARIANCE_FLOOR * max(float(rows.var(axis=0).mean()), 1e-3))
    counts = np.bincount(start.labels_, minlength=recipe.words) + 1
    shares = (counts / counts.sum()).astype(np.float32)
    variances = np.tile(rows.var(axis=0) + floor, (recipe.words, 1))
    first = DescriptorMixture(projection, offset, spread, shares, start.cluster_centers_, variances)
    return _run_em(first, rows, floor)


def _compute_correlation(descriptors):
    """Mean, deviation and correlation matrix of descriptors, float64."""
    mean = descriptors.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    for block in _split_blocks(descriptors):
        apart = block - mean
        covariance += apart.T @ apart
    covariance /= len(descriptors)
    deviation = np.maximum(np.sqrt(covariance.diagonal()), 1e-4)
    return mean, deviation, covariance / np.outer(deviation, deviation)


def _run_em(vocabulary, rows, floor):
    """Maximise the likelihood by expectation maximisation (Bishop 2006, section 9.2.2)."""
    for _ in range(STEPS):
        sums = sum(
            vocabulary.sum_statistics(block).astype(np.float64) for block in _split_blocks(rows)
        )
        count = np.maximum(sums[:, :1], LEAST_SHARE)
        means, squares = np.hsplit(sums[:, 1:] / count, 2)
        found = {
            "weights": np.maximum(sums[:, 0] / len(rows), LEAST_SHARE),
            "means": means,
            "variances": np.maximum(squares - means**2, 0) + floor,
        }
        found = {key: value.astype(np.float32) for key, value in found.items()}
        vocabulary = replace(vocabulary, **found)
    return vocabulary


def _split_blocks(rows):
    return (rows[i : i + BLOCK] for i in range(0, len(rows), BLOCK))
