"""Fisher vectors of dense descriptors as features."""

import numpy as np

from flowers.features.descriptors import compute_descriptors, resize_to_scale

# Of each kind of descriptor in the kernel of two photos, relative to the others.
WEIGHTS = {"sift": 2, "opponent": 1, "lcs": 1}
# Steps of the 8-bit numbers in the standard deviation of an entry of the heaviest kind: rounding
# adds less than a thousandth to the variance, and 127 is six deviations.
STEPS = 21
LARGEST, DTYPE = 127, np.int8


def extract_fisher(images, sizes, codebook):
    """Improved Fisher vectors (Perronnin, Sanchez & Mensink 2010) of photos.

    Each kind of descriptor gives the gradients of its mixture's log-likelihood by means and
    variances, pooled over all scales; signed square root, all of one length, times the square root
    of the weight: the product of two rows is the weighted sum of the kinds' kernels.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    sizes : ndarray of shape (n, 2), int, or None
        Width and height of the photos, whose proportions are restored; None for squares.
    codebook : flowers.features.codebook.Codebook

    Returns
    -------
    ndarray of shape (n, d), int8, range [-127, 127]
        `d` is the sum of 2 * words * (components + 2) over the kinds of descriptors.
    """
    sizes = np.ones((len(images), 2)) if sizes is None else sizes
    rows = [_vector(image, size, codebook) for image, size in zip(images, sizes, strict=True)]
    return np.stack(rows)


def _vector(image, size, codebook):
    sums, windows = dict.fromkeys(codebook.mixtures, 0), 0
    for scale in codebook.scales:
        descriptors, positions = compute_descriptors(resize_to_scale(image, size, scale))
        windows += len(positions)
        for name, vocabulary in codebook.mixtures.items():
            rows = vocabulary.project_descriptors(descriptors[name], positions)
            sums[name] = sums[name] + vocabulary.sum_statistics(rows)
    parts = {}
    for name, vocabulary in codebook.mixtures.items():
        part = _gradients(sums[name] / np.float32(windows), vocabulary)
        part = np.copysign(np.sqrt(np.abs(part)), part)
        parts[name] = part * (WEIGHTS[name] ** 0.5 / max(np.linalg.norm(part), 1e-12))
    heaviest = max(parts, key=WEIGHTS.get)
    step = STEPS * (parts[heaviest].size / WEIGHTS[heaviest]) ** 0.5
    row = np.concatenate(list(parts.values())) * np.float32(step)
    return np.clip(np.rint(row), -LARGEST, LARGEST).astype(DTYPE)


def _gradients(sums, vocabulary):
    """Equations 9 and 10 of Sanchez et al. 2013 ("Image Classification with the Fisher Vector")."""
    mean, variance = vocabulary.means, vocabulary.variances
    weight, (first, second) = sums[:, :1], np.hsplit(sums[:, 1:], 2)
    root = np.sqrt(vocabulary.weights)[:, None]
    by_mean = (first - mean * weight) / np.sqrt(variance) / root
    by_variance = (second - 2 * mean * first + mean**2 * weight) / variance - weight
    by_variance /= np.sqrt(np.float32(2)) * root
    return np.concatenate([by_mean.ravel(), by_variance.ravel()])
