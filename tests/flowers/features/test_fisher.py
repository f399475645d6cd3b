"""Demands on Fisher vectors: the gradients they are said to be, and what changes them."""

import numpy as np
import pytest
from scipy.stats import norm

from flowers.base.errors import BadInput
from flowers.features import fisher as module
from flowers.features.extraction import extract_features
from flowers.features.fisher import extract_fisher
from tests.flowers.features.codebooks import blobs, small_codebook


def log_likelihood(rows, shares, means, variances):
    """Mean log-density of a mixture of diagonal Gaussians, as it is written down."""
    each = norm.logpdf(rows[:, None], means, np.sqrt(variances)).sum(axis=2) + np.log(shares)
    return np.logaddexp.reduce(each, axis=1).mean()


def test_they_are_gradients_of_the_log_likelihood():
    vocabulary = small_codebook().mixtures["lcs"]
    rows = vocabulary.means[[0, 1, 1, 3]] + np.random.default_rng(0).normal(
        0, np.sqrt(vocabulary.variances[0]), (4, vocabulary.means.shape[1])
    )
    rows = rows.astype(np.float32)
    sums = vocabulary.sum_statistics(rows) / np.float32(len(rows))
    by_mean, by_variance = np.split(module._gradients(sums, vocabulary), 2)
    shares, means, variances = (
        a.astype(float) for a in (vocabulary.weights, vocabulary.means, vocabulary.variances)
    )
    width, step = means.shape[1], 1e-5
    for word, column in [(0, 0), (1, 5), (3, width - 1)]:
        deviation = np.sqrt(variances[word, column])
        moved = means.copy()
        moved[word, column] += step * deviation
        change = log_likelihood(rows, shares, moved, variances) - log_likelihood(
            rows, shares, means, variances
        )
        expected = change / step / np.sqrt(shares[word])
        assert by_mean[word * width + column] == pytest.approx(expected, rel=2e-2, abs=2e-3)
        wider = variances.copy()
        wider[word, column] = (deviation * (1 + step)) ** 2
        change = log_likelihood(rows, shares, means, wider) - log_likelihood(
            rows, shares, means, variances
        )
        expected = change / step / np.sqrt(2 * shares[word])
        assert by_variance[word * width + column] == pytest.approx(expected, rel=2e-2, abs=2e-3)


def test_every_photo_has_the_same_length_and_the_kinds_their_weights():
    rows = extract_fisher(blobs(), None, small_codebook()).astype(float)
    assert np.ptp(np.linalg.norm(rows, axis=1)) < 0.02 * np.linalg.norm(rows[0])
    words = len(small_codebook().mixtures["sift"].weights)
    sift, opponent, lcs = np.split(rows, np.cumsum([2 * words * 66, 2 * words * 66]), axis=1)
    assert (sift**2).sum() / (opponent**2).sum() == pytest.approx(2, rel=0.05)
    assert (opponent**2).sum() / (lcs**2).sum() == pytest.approx(1, rel=0.05)


def test_rounding_to_eight_bits_hardly_moves_the_kernel(monkeypatch):
    rough = extract_fisher(blobs(), None, small_codebook()).astype(float)
    monkeypatch.setattr(module, "STEPS", 21 * 2.0**4)
    monkeypatch.setattr(module, "LARGEST", 32767)
    monkeypatch.setattr(module, "DTYPE", np.int16)
    fine = extract_fisher(blobs(), None, small_codebook()).astype(float) / 2**4
    kernels = [rows @ rows.T / (rows**2).sum(axis=1).mean() for rows in (rough, fine)]
    np.testing.assert_allclose(*kernels, atol=0.02)


def test_the_proportions_of_the_photo_count():
    images, codebook = blobs(2), small_codebook()
    square, wide = (extract_fisher(images, np.full((2, 2), s), codebook) for s in ((1, 1), (3, 1)))
    assert not np.array_equal(square, wide)
    np.testing.assert_array_equal(square, extract_fisher(images, None, codebook))
    np.testing.assert_array_equal(
        wide, extract_fisher(images, np.full((2, 2), (600, 200)), codebook)
    )


def test_a_photo_without_any_contrast_has_features_too():
    rows = extract_fisher(np.full((1, 48, 48, 3), 7, np.uint8), None, small_codebook())
    assert rows.any()


def test_without_a_codebook_the_reason_is_named():
    with pytest.raises(BadInput, match="codebook"):
        extract_features(blobs(1), ["fisher"])


def test_beside_other_features_no_number_is_larger_than_one():
    rows = extract_features(blobs(2), ["hog", "fisher"], codebook=small_codebook())
    assert rows.dtype == np.float32 and np.abs(rows).max() <= 1
