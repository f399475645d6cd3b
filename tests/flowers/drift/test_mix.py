import numpy as np
import pytest

from flowers.drift.mix import LAGS, changes, design_effect, reweighted, sure, votes
from tests.flowers.drift.test_martingale import answers


def photos(shares, count, seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, count, p=shares)
    return answers(truth, rng), truth


def test_votes_of_a_class_are_for_it_on_average():
    held, truth = photos([0.5, 0.3, 0.2], 400, 0)
    found = votes(held, truth, held)
    means = np.stack([found[truth == c].mean(axis=0) for c in range(3)])
    assert means == pytest.approx(np.eye(3), abs=1e-9)
    assert found.sum(axis=1) == pytest.approx(1)


def test_the_mix_of_a_window_is_found_although_a_third_of_the_answers_are_wrong():
    held, truth = photos([1 / 3] * 3, 2000, 1)
    window, _ = photos([0.6, 0.3, 0.1], 4000, 2)
    change, noise = (x[0] for x in changes(held, truth, window[None]))
    assert change == pytest.approx(np.array([0.6, 0.3, 0.1]) - 1 / 3, abs=0.04)
    assert (np.abs(change - (np.array([0.6, 0.3, 0.1]) - 1 / 3)) < 4 * noise).all()


def test_without_a_change_the_noise_is_as_large_as_said():
    far = []
    for seed in range(150):
        held, truth = photos([0.4, 0.4, 0.2], 200, 2 * seed)
        window, _ = photos([0.4, 0.4, 0.2], 300, 2 * seed + 1)
        change, noise = changes(held, truth, window[None])
        far.append(change / noise)
    assert np.std(far) == pytest.approx(1, abs=0.2)
    assert (np.abs(far) > sure(3, 0.01)).any(axis=(1, 2)).mean() < 0.04


def test_reweighted_photos_have_the_mix_of_the_window():
    _, truth = photos([0.5, 0.3, 0.2], 300, 3)
    share = np.bincount(truth) / 300
    wanted = np.array([[0.2, 0.3, 0.5], [0.0, 0.4, 0.6]])
    weights = reweighted(truth, 3, wanted - share)
    assert np.stack([np.bincount(truth, w) for w in weights]) == pytest.approx(wanted)
    assert reweighted(truth, 3, -np.ones((1, 3)))[0] == pytest.approx(1 / 300)


def effect(lines):
    """Of lines (k, n) that are as long as they are."""
    return design_effect(lines[:, :, None] - lines.mean(), [lines.shape[1]])


def test_bursts_count_as_fewer_photos_and_independent_ones_as_what_they_are():
    rng = np.random.default_rng(4)
    assert 1 <= effect(rng.random((200, 500))).mean() < 1.25
    # Five equal ones in a row say as much as one.
    assert effect(np.repeat(rng.random((200, 100)), 5, axis=1)).mean() == pytest.approx(5, rel=0.15)
    assert effect(np.ones((1, 500))).tolist() == [[1]]
    assert effect(rng.random((1, 3))).shape == (1, 1)


def test_the_design_effect_is_that_of_the_autocorrelations_of_all_columns_at_each_end():
    lines = np.repeat(np.random.default_rng(7).random((400, 2)), 5, axis=0)
    centred = lines - 0.5
    for count, found in zip((600, 2000), design_effect(centred, [600, 2000]), strict=True):
        apart = lines[:count] - lines[:count].mean(axis=0)
        lags = [(apart[lag:] * apart[:-lag]).sum() for lag in range(1, LAGS + 1)]
        assert found == pytest.approx(1 + 2 * sum(lags) / (apart**2).sum())
    assert design_effect(lines, []).shape == (0,)


def test_the_noise_of_a_window_of_bursts_is_larger():
    held, truth = photos([1 / 3] * 3, 2000, 5)
    rng, far = np.random.default_rng(6), []
    for _ in range(150):
        late = np.repeat(rng.integers(0, 3, 100), 5)
        change, noise = changes(held, truth, answers(late, rng)[None])
        far.append(change / noise)
    assert np.std(far) == pytest.approx(1, abs=0.2)
