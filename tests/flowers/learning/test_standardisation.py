"""Standardisation: that of scikit-learn, block by block."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from flowers.learning.standardisation import (
    EXACT_ROWS,
    compute_moments,
    standardise_block,
)
from tests.flowers.learning.estimator_data import make_table

ROWS = 2 * EXACT_ROWS + 9


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_moments_are_those_of_standard_scaler(dtype):
    X = make_table(dtype, ROWS)
    scaler = StandardScaler().fit(X.astype(float))
    mean, scale = compute_moments(X)
    assert mean.dtype == scale.dtype == np.float64
    np.testing.assert_allclose(mean, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(scale, scaler.scale_, rtol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, 255.0, -1e9])
def test_a_constant_column_has_scale_1(constant):
    X = make_table("float64", d=5)
    X[:, 2] = constant
    _, scale = compute_moments(X)
    assert scale[2] == 1.0 == StandardScaler().fit(X).scale_[2]


def test_moments_of_the_largest_bytes_are_exact():
    X = np.full((3 * EXACT_ROWS, 2), 255, np.uint8)
    X[0] = 254
    mean, scale = compute_moments(X)
    share = 1 / len(X)
    np.testing.assert_allclose(mean, 255 - share, rtol=1e-15)
    np.testing.assert_allclose(scale, np.sqrt(share * (1 - share)), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_standardised_rows_are_those_of_standard_scaler_in_the_given_memory(dtype):
    X = make_table(dtype, ROWS, 40)
    expected = StandardScaler().fit_transform(X.astype(float))[:, 10:30]
    buffer = np.full((len(X) + 5, 50), np.nan, np.float32)
    rows = standardise_block(X, *compute_moments(X), slice(10, 30), buffer)
    assert np.shares_memory(rows, buffer) and np.isnan(buffer[len(X) :]).all()
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(rows, standardise_block(X, *compute_moments(X), slice(10, 30)))
