"""Fisher vectors of dense descriptors as features."""

import numpy as np

from flowers.features.descriptors import compute_descriptors

# Weight of each descriptor type in the kernel of two images.
WEIGHTS = {"sift": 3, "opponent": 3, "lcs": 1}
# Quantisation steps per standard deviation of an entry of the type with the highest weight: the
# rounding adds less than a thousandth to the variance, and 127 is six deviations.
QUANTISATION_STEPS = 21
MAX_LEVEL = 127
DTYPE = np.int8


def extract_fisher(images, sizes, codebook):
    """Compute improved Fisher vectors (Perronnin, Sanchez & Mensink 2010), at 8 bits.

    Each descriptor type gives the gradients of its mixture's log-likelihood with respect to means
    and variances, averaged over all windows and scales. After the signed fourth root, which was
    more accurate than the usual square root, each type is scaled to the square root of its weight:
    the product of two rows is the weighted sum of the kernels of the types.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    sizes : ndarray of shape (n, 2), int, or None
        Width and height of the images, whose aspect ratio is restored; None for squares.
    codebook : flowers.features.codebook.Codebook

    Returns
    -------
    ndarray of shape (n, d), int8, range [-127, 127]
        `d` is the sum of 2 * words * (components + 2) over the descriptor types.
    """
    sizes = np.ones((len(images), 2)) if sizes is None else sizes
    return np.stack([_encode_image(*pair, codebook) for pair in zip(images, sizes, strict=True)])


def _encode_image(image, size, codebook):
    descriptors, positions = compute_descriptors(image, size, codebook.scales)
    parts = {}
    for name, mixture in codebook.mixtures.items():
        rows = mixture.project_descriptors(descriptors[name], positions)
        statistics = mixture.sum_statistics(rows) / np.float32(len(rows))
        part = _compute_gradients(statistics, mixture)
        part = np.copysign(np.sqrt(np.sqrt(np.abs(part))), part)
        parts[name] = part * (WEIGHTS[name] ** 0.5 / max(np.linalg.norm(part), 1e-12))
    heaviest = max(parts, key=WEIGHTS.get)
    step = QUANTISATION_STEPS * (parts[heaviest].size / WEIGHTS[heaviest]) ** 0.5
    row = np.concatenate(list(parts.values())) * np.float32(step)
    return np.clip(np.rint(row), -MAX_LEVEL, MAX_LEVEL).astype(DTYPE)


def _compute_gradients(statistics, mixture):
    """Equations 9 and 10 of Sanchez et al. 2013 ("Image Classification with the Fisher Vector")."""
    mean = mixture.means
    variance = mixture.variances
    posterior = statistics[:, :1]
    first, second = np.hsplit(statistics[:, 1:], 2)
    root = np.sqrt(mixture.weights)[:, None]
    by_mean = (first - mean * posterior) / np.sqrt(variance) / root
    by_variance = (second - 2 * mean * first + mean**2 * posterior) / variance - posterior
    by_variance /= np.sqrt(np.float32(2)) * root
    return np.concatenate([by_mean.ravel(), by_variance.ravel()])
