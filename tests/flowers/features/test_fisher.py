"""Fisher vectors: gradients of the log-likelihood, quantised, for any image."""

import numpy as np
import pytest
from scipy.stats import norm

from flowers.base.errors import BadInput
from flowers.features import codebook, fisher
from flowers.features.codebook_fitting import sample_descriptors
from flowers.features.extraction import extract_features
from flowers.features.fisher import extract_fisher
from tests.flowers.features.codebooks import make_images, small_codebook


def log_likelihood(rows, weights, means, variances):
    """Mean log-density of a mixture of diagonal Gaussians, by its definition."""
    densities = norm.logpdf(rows[:, None], means, np.sqrt(variances)).sum(axis=2)
    return np.logaddexp.reduce(densities + np.log(weights), axis=1).mean()


def test_fisher_vectors_are_gradients_of_the_log_likelihood():
    mixture = small_codebook().mixtures["lcs"]
    rows = mixture.means[[0, 1, 1, 3]] + np.random.default_rng(0).normal(
        0, np.sqrt(mixture.variances[0]), (4, mixture.means.shape[1])
    )
    rows = rows.astype(np.float32)
    statistics = mixture.sum_statistics(rows) / np.float32(len(rows))
    by_mean, by_variance = np.split(fisher._compute_gradients(statistics, mixture), 2)
    weights, means, variances = (
        array.astype(float) for array in (mixture.weights, mixture.means, mixture.variances)
    )
    start = log_likelihood(rows, weights, means, variances)
    width = means.shape[1]
    step = 1e-5
    for word, column in [(0, 0), (1, 5), (3, width - 1)]:
        shifted = means.copy()
        shifted[word, column] += step * np.sqrt(variances[word, column])
        wider = variances.copy()
        wider[word, column] *= (1 + step) ** 2
        for values, factor, changed in (
            (by_mean, 1, (shifted, variances)),
            (by_variance, 2, (means, wider)),
        ):
            change = (log_likelihood(rows, weights, *changed) - start) / step
            expected = change / np.sqrt(factor * weights[word])
            assert values[word * width + column] == pytest.approx(expected, rel=2e-2, abs=2e-3)


def test_all_rows_have_the_same_norm_and_the_descriptor_types_their_weights():
    rows = extract_fisher(make_images(), None, small_codebook()).astype(float)
    assert np.ptp(np.linalg.norm(rows, axis=1)) < 0.02 * np.linalg.norm(rows[0])
    words = len(small_codebook().mixtures["sift"].weights)
    sift, opponent, lcs = np.split(rows, np.cumsum([2 * words * 66, 2 * words * 66]), axis=1)
    assert (sift**2).sum() / (opponent**2).sum() == pytest.approx(1, rel=0.05)
    assert (opponent**2).sum() / (lcs**2).sum() == pytest.approx(3, rel=0.05)


def test_quantisation_to_eight_bits_hardly_changes_the_kernel(monkeypatch):
    coarse = extract_fisher(make_images(), None, small_codebook()).astype(float)
    monkeypatch.setattr(fisher, "QUANTISATION_STEPS", 21 * 2.0**4)
    monkeypatch.setattr(fisher, "MAX_LEVEL", 32767)
    monkeypatch.setattr(fisher, "DTYPE", np.int16)
    fine = extract_fisher(make_images(), None, small_codebook()).astype(float) / 2**4
    kernels = [rows @ rows.T / (rows**2).sum(axis=1).mean() for rows in (coarse, fine)]
    np.testing.assert_allclose(*kernels, atol=0.02)


def test_features_depend_on_the_aspect_ratio_only():
    images = make_images(2)
    codebook = small_codebook()
    sizes = ((1, 1), (3, 1), (600, 200))
    square, wide, large = (extract_fisher(images, np.full((2, 2), s), codebook) for s in sizes)
    assert not np.array_equal(square, wide)
    np.testing.assert_array_equal(square, extract_fisher(images, None, codebook))
    np.testing.assert_array_equal(wide, large)


def test_an_image_and_its_mirror_image_have_the_same_features_but_for_rounding():
    images = make_images()
    rows, mirrored = (
        extract_fisher(np.ascontiguousarray(views), None, small_codebook()).astype(int)
        for views in (images, images[:, :, ::-1])
    )
    assert np.abs(rows - mirrored).max() <= 1 and (rows != mirrored).mean() < 0.01
    upside_down = extract_fisher(np.ascontiguousarray(images[:, ::-1]), None, small_codebook())
    assert np.abs(rows - upside_down).max() > 20


def test_windows_far_from_every_word_have_posteriors_that_sum_to_one():
    mixture = small_codebook().mixtures["sift"]
    statistics = mixture.sum_statistics(100 * mixture.means)
    assert np.isfinite(statistics).all() and statistics[:, 0].sum() == pytest.approx(4)


def test_improbable_words_change_the_statistics_little(monkeypatch):
    mixture = small_codebook().mixtures["lcs"]
    descriptors, positions = sample_descriptors(make_images()[0], (4, 3), (1.0,), 60, 0)
    rows = mixture.project_descriptors(descriptors["lcs"], positions)
    sums = mixture.sum_statistics(rows)
    monkeypatch.setattr(codebook, "MIN_LOG_POSTERIOR", -80)
    exact = mixture.sum_statistics(rows)
    assert np.linalg.norm(sums[:, 0] - exact[:, 0]) < 0.01 * np.linalg.norm(exact[:, 0])
    assert np.linalg.norm(sums - exact) < 0.01 * np.linalg.norm(exact)


def test_a_missing_codebook_is_named():
    with pytest.raises(BadInput, match="codebook"):
        extract_features(make_images(1), ["fisher"])
