"""The codebook of the feature `fisher`, in memory and as a file."""

import zipfile
from dataclasses import asdict, dataclass, fields
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from flowers.base.errors import BadInput
from flowers.base.tables import atomic_write
from flowers.features.descriptors import WIDTHS

# Changes with the descriptors, so that a codebook of other descriptors is refused.
VERSION = 2
# A Gaussian whose log posterior is further below that of the most probable one is left out, so that
# the sums are sparse; docs/decisions/mixture.md has what this saves.
MIN_LOG_POSTERIOR = -6


@dataclass(frozen=True)
class DescriptorMixture:
    """PCA projection and Gaussian mixture of one descriptor type; all arrays are float32.

    Attributes
    ----------
    projection : ndarray of shape (width, k)
        Principal components of the standardised descriptors.
    offset : ndarray of shape (k,)
        Subtracted after the projection.
    position_scale : ndarray of shape ()
        Factor of x and y, which are appended to the k components.
    weights : ndarray of shape (words,)
        Mixture weights, sum 1.
    means, variances : ndarray of shape (words, k + 2)
        Diagonals of the covariances are the variances.
    """

    projection: np.ndarray
    offset: np.ndarray
    position_scale: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def project_descriptors(self, descriptors, positions):
        """Project descriptors (n, width) and append scaled positions (n, 2): (n, k + 2)."""
        rows = np.empty((len(descriptors), self.means.shape[1]), np.float32)
        np.subtract(descriptors @ self.projection, self.offset, out=rows[:, :-2])
        np.multiply(positions, self.position_scale, out=rows[:, -2:])
        return rows

    def sum_statistics(self, rows):
        """Sum the sufficient statistics of the mixture over projected descriptors (n, k + 2).

        Those of Sanchez et al. 2013 ("Image Classification with the Fisher Vector", algorithm 1).

        Returns
        -------
        ndarray of shape (words, 1 + 2 * (k + 2)), float32
            For each Gaussian the sums of the posterior probabilities, of their products with the
            rows, and of their products with the squared rows.
        """
        width = rows.shape[1]
        terms = np.empty((len(rows), 1 + 2 * width), np.float32)
        terms[:, 0] = 1
        terms[:, 1 : 1 + width] = rows
        np.square(rows, out=terms[:, 1 + width :])
        log_posterior = terms @ self.log_density_terms
        highest = log_posterior.max(axis=1)
        is_probable = log_posterior >= (highest + np.float32(MIN_LOG_POSTERIOR))[:, None]
        index = np.flatnonzero(is_probable)
        row, word = np.divmod(index, len(self.weights))
        posterior = np.exp(log_posterior.ravel()[index] - highest[row])
        posterior /= np.bincount(row, weights=posterior)[row]
        starts = np.searchsorted(row, np.arange(len(rows) + 1))
        return csr_array((posterior, word, starts), shape=log_posterior.shape).T @ terms

    @cached_property
    def log_density_terms(self):
        """Coefficients of 1, row and squared row in the log-densities, up to a common constant."""
        mean = self.means
        variance = self.variances
        log_scale = np.log(variance) + mean**2 / variance
        constant = np.log(self.weights) - 0.5 * log_scale.sum(axis=1)
        return np.hstack([constant[:, None], mean / variance, -0.5 / variance]).T.copy()


@dataclass(frozen=True)
class Codebook:
    """The mixtures of all descriptor types.

    Attributes
    ----------
    scales : tuple of float
        Factors of the image's side at which descriptors are extracted.
    mixtures : dict of str to DescriptorMixture
        By name of the descriptor type.
    """

    scales: tuple
    mixtures: dict


def write_codebook(path, codebook):
    """Write a codebook; None gives an empty archive, always of the same bytes."""
    arrays = {}
    if codebook is not None:
        arrays |= {"version": np.array(VERSION), "scales": np.array(codebook.scales)}
        for name, mixture in codebook.mixtures.items():
            arrays |= {f"{name}_{key}": value for key, value in asdict(mixture).items()}
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def read_codebook(path):
    """Read a codebook, None for an empty archive; raises `BadInput` if the file is neither."""
    names = [field.name for field in fields(DescriptorMixture)]
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not an archive of arrays")
        with np.load(path, allow_pickle=False) as arrays:
            if not arrays.files:
                return None
            if "version" not in arrays or arrays["version"] != VERSION:
                remedy = "run dvc repro; for a promoted model, promote again"
                raise BadInput(f"{path} is of another version of the features: {remedy}")
            mixtures = {
                descriptor: DescriptorMixture(*(arrays[f"{descriptor}_{name}"] for name in names))
                for descriptor in WIDTHS
            }
            return Codebook(tuple(map(float, arrays["scales"])), mixtures)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is not a codebook ({error}): restore it by dvc checkout") from error
