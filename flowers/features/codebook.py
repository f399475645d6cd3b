"""What the feature `fisher` has learnt, in memory and as a file."""

import zipfile
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from flowers.base.errors import BadInput
from flowers.base.tables import atomic_write
from flowers.features.descriptors import WIDTHS


@dataclass(frozen=True)
class DescriptorMixture:
    """Projection of one kind of descriptor, and the Gaussians that its projections fall into.

    Attributes
    ----------
    projection : ndarray of shape (width, k), float32
        Principal components of the standardised descriptor.
    offset : ndarray of shape (k,), float32
        Subtracted after the projection.
    spread : float32
        What x and y are multiplied with before they are appended.
    weights : ndarray of shape (words,), float32, sum 1
    means, variances : ndarray of shape (words, k + 2), float32
    """

    projection: np.ndarray
    offset: np.ndarray
    spread: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def project_descriptors(self, descriptors, positions):
        """Components and place of descriptors, (n, k + 2), float32."""
        return np.hstack([descriptors @ self.projection - self.offset, positions * self.spread])

    def sum_statistics(self, rows):
        """Sum over projected descriptors what each word has of them.

        Parameters
        ----------
        rows : ndarray of shape (n, k + 2), float32
            From `project_descriptors`.

        Returns
        -------
        ndarray of shape (words, 1 + 2 * (k + 2)), float32
            Posterior probabilities, these times the rows, and times their squares.
        """
        both = np.hstack([np.ones_like(rows[:, :1]), rows, np.square(rows)])
        share = both @ self.log_density
        share -= share.max(axis=1, keepdims=True)
        np.exp(share, out=share)
        share /= share.sum(axis=1, keepdims=True)
        return share.T @ both

    @cached_property
    def log_density(self):
        """Weights of 1, row and squared row in the log-density of each word, less a constant."""
        mean, variance = self.means, self.variances
        constant = np.log(self.weights)
        constant -= 0.5 * (np.log(variance) + mean**2 / variance).sum(axis=1)
        return np.hstack([constant[:, None], mean / variance, -0.5 / variance]).T.copy()


@dataclass(frozen=True)
class Codebook:
    """All that `fisher` has learnt.

    Attributes
    ----------
    scales : tuple of float
        At which a photo is looked at; 1 is the area of its square.
    mixtures : dict of descriptor name to Vocabulary
    """

    scales: tuple
    mixtures: dict


def write_codebook(path, codebook):
    """Write a codebook; None gives a file that holds nothing, always of the same bytes."""
    arrays = {}
    if codebook is not None:
        arrays = {"scales": np.array(codebook.scales)} | {
            f"{name}_{field.name}": getattr(vocabulary, field.name)
            for name, vocabulary in codebook.mixtures.items()
            for field in fields(DescriptorMixture)
        }
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def read_codebook(path):
    """Read what `write_codebook` wrote.

    Raises
    ------
    BadInput
        If it is no codebook.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not an archive of arrays")
        with np.load(path, allow_pickle=False) as arrays:
            if not arrays.files:
                return None
            found = {
                name: DescriptorMixture(
                    *(arrays[f"{name}_{field.name}"] for field in fields(DescriptorMixture))
                )
                for name in WIDTHS
            }
            return Codebook(tuple(map(float, arrays["scales"])), found)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is no codebook ({error}): restore it with dvc checkout") from error
