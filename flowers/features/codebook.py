"""What the feature `fisher` learns from training photos, without their labels."""

import warnings
import zipfile
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from flowers.errors import BadInput
from flowers.features.descriptors import WIDTHS, at_scale, dense
from flowers.parallel import each
from flowers.tables import whole

# Principal components that are kept of each descriptor.
COMPONENTS = {"sift": 64, "opponent": 64, "lcs": 48}
STEPS = 12  # of expectation maximisation
VARIANCE_FLOOR = 1e-3  # added to each variance, as a share of the mean variance


@dataclass(frozen=True)
class Vocabulary:
    """Projection of one kind of descriptor, and the Gaussians that its projections fall into.

    Attributes
    ----------
    projection : ndarray of shape (width, k), float32
        Principal components of the standardised descriptor.
    offset : ndarray of shape (k,), float32
        Subtracted after the projection.
    spread : float32
        What x and y are multiplied with before they are appended.
    shares : ndarray of shape (words,), float32, sum 1
    means, variances : ndarray of shape (words, k + 2), float32
    """

    projection: np.ndarray
    offset: np.ndarray
    spread: np.ndarray
    shares: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def projected(self, descriptors, positions):
        """Components and place of descriptors, (n, k + 2), float32."""
        return np.hstack([descriptors @ self.projection - self.offset, positions * self.spread])

    @cached_property
    def log_density(self):
        """Weights of 1, row and squared row in the log-density of each word, less a constant."""
        mean, variance = self.means, self.variances
        constant = np.log(self.shares)
        constant -= 0.5 * (np.log(variance) + mean**2 / variance).sum(axis=1)
        return np.hstack([constant[:, None], mean / variance, -0.5 / variance]).T.copy()


@dataclass(frozen=True)
class Codebook:
    """All that `fisher` has learnt.

    Attributes
    ----------
    scales : tuple of float
        At which a photo is looked at; 1 is the area of its square.
    vocabularies : dict of descriptor name to Vocabulary
    """

    scales: tuple
    vocabularies: dict


@dataclass(frozen=True)
class Recipe:
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


def write(path, codebook):
    """Write a codebook; None gives a file that holds nothing, always of the same bytes."""
    arrays = {}
    if codebook is not None:
        arrays = {"scales": np.array(codebook.scales)} | {
            f"{name}_{field.name}": getattr(vocabulary, field.name)
            for name, vocabulary in codebook.vocabularies.items()
            for field in fields(Vocabulary)
        }
    with whole(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def read(path):
    """Read what `write` wrote.

    Raises
    ------
    BadInput
        If it is no codebook.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if not arrays.files:
                return None
            found = {
                name: Vocabulary(*(arrays[f"{name}_{field.name}"] for field in fields(Vocabulary)))
                for name in WIDTHS
            }
            return Codebook(tuple(map(float, arrays["scales"])), found)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is no codebook ({error}): restore it with dvc checkout") from error


def sample(image, size, scales, count, seed):
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
    seen = [dense(at_scale(image, size, scale)) for scale in scales]
    positions = np.concatenate([places for _, places in seen])
    chosen = np.random.default_rng(seed).permutation(len(positions))[:count]
    descriptors = {
        name: np.concatenate([found[name] for found, _ in seen])[chosen] for name in WIDTHS
    }
    return descriptors, positions[chosen]


def draw(images, sizes, rows, recipe):
    """Say which photos to `sample`, every other one mirrored.

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
        What `sample` takes.
    """
    chosen = np.random.default_rng(recipe.seed).permutation(rows)[: recipe.photos]
    for k, row in enumerate(np.sort(chosen)):
        image = images[row][:, ::-1] if k % 2 else images[row]
        yield image, sizes[row], recipe.scales, recipe.per_photo, (recipe.seed, int(row))


def learned(samples, recipe):
    """Learn all vocabularies, each as a task of its own for the workers.

    Parameters
    ----------
    samples : list
        From `sample`, of all photos.
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
            f"codebook.words: {recipe.words} words from {len(positions)} descriptors; set it lower, or "
            "codebook.photos or codebook.per_photo higher"
        )
    tasks = (
        (name, np.concatenate([found[name] for found, _ in samples]), positions, recipe)
        for name in WIDTHS
    )
    found = each(learn, tasks)
    return Codebook(recipe.scales, dict(zip(WIDTHS, found, strict=True)))


def learn(name, descriptors, positions, recipe):
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
    mean, deviation = descriptors.mean(axis=0), np.maximum(descriptors.std(axis=0), 1e-4)
    standard = ((descriptors - mean) / deviation).astype(np.float64)
    strength, axes = np.linalg.eigh(standard.T @ standard / len(standard))
    axes = axes[:, ::-1][:, : COMPONENTS[name]]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
    projection = (axes / deviation[:, None]).astype(np.float32)
    offset = mean @ projection
    spread = np.float32(strength[-1] ** 0.5 / positions.std())
    rows = np.hstack([descriptors @ projection - offset, positions * spread])
    floor = VARIANCE_FLOOR * float(rows.var(axis=0).mean())
    # With more threads k-means adds up in another order, and the last bits differ.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the steps are meant to be few
        start = KMeans(recipe.words, n_init=1, max_iter=STEPS, random_state=recipe.seed).fit(rows)
        variances = np.tile(rows.var(axis=0), (recipe.words, 1))
        mixture = GaussianMixture(
            recipe.words,
            covariance_type="diag",
            max_iter=STEPS,
            reg_covar=floor,
            weights_init=np.bincount(start.labels_, minlength=recipe.words) / len(rows),
            means_init=start.cluster_centers_,
            precisions_init=1 / variances,
        ).fit(rows)
    learnt = (mixture.weights_, mixture.means_, mixture.covariances_)
    return Vocabulary(projection, offset, spread, *(a.astype(np.float32) for a in learnt))
