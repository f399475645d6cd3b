import numpy as np
import pytest

from flowers.model.typicality import WIDTH, choose_threshold, fit_typicality, read_typicality


def draw_rows(count, dtype, seed, d=3 * WIDTH + 7):
    """Rows near a space of three dimensions; with a seed below 0 others of the same variances."""
    rng = np.random.default_rng(abs(seed))
    axes = np.random.default_rng(9).normal(size=(3, d))
    if seed < 0:
        axes = rng.permuted(axes, axis=1)
    values = rng.normal(size=(count, 3)) @ axes + 0.3 * rng.normal(size=(count, d))
    scaled = values * 10 + (100 if dtype == np.uint8 else 0)
    return np.clip(np.rint(scaled), *((0, 255) if dtype == np.uint8 else (-127, 127))).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float32])
def test_rows_like_the_training_rows_are_typical_and_others_are_not(dtype):
    typicality = fit_typicality(draw_rows(80, dtype, 1), np.full(80, True))
    like, unlike = (typicality.score_rows(draw_rows(50, dtype, seed)) for seed in (2, -3))
    assert like.shape == (50,) and 0 <= unlike.min() and like.max() <= 1
    assert unlike.max() < 0.3 < like.min()


def test_only_the_training_rows_are_read_and_no_batch_changes_a_bit():
    X = draw_rows(60, np.float32, 1)
    rest = X.copy()
    rest[50:] = np.nan
    typicality = fit_typicality(X, np.arange(60) < 50)
    scores = typicality.score_rows(X)
    np.testing.assert_array_equal(fit_typicality(rest, np.arange(60) < 50).score_rows(X), scores)
    np.testing.assert_array_equal([typicality.score_rows(row[None])[0] for row in X], scores)


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (5, WIDTH), (30, 40)])
def test_few_rows_few_features_and_constant_ones_have_a_score(shape):
    X = np.random.default_rng(0).normal(size=shape)
    X[:, 0] = 7
    scores = fit_typicality(X, np.full(len(X), True)).score_rows(X + 1)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_file_gives_the_score_back_in_equal_bytes(tmp_path):
    X = draw_rows(40, np.float32, 1)
    typicality = fit_typicality(X, np.full(40, True))
    for name in "ab":
        typicality.write_file(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    np.testing.assert_array_equal(
        read_typicality(tmp_path / "a").score_rows(X), typicality.score_rows(X)
    )


def test_one_in_forty_reference_images_is_below_the_threshold():
    scores = np.random.default_rng(0).permutation(1000) / 1000
    assert (scores < choose_threshold(scores)).sum() == 25
