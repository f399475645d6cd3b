import numpy as np
import pytest

from flowers.drift_simulation.traffic import (
    draw_daily_proportions,
    draw_images,
    draw_streams,
    plan_proportions,
)
from tests.flowers.drift.synthetic import draw_reference


@pytest.fixture(scope="module")
def reference():
    return draw_reference(np.random.default_rng(0), 300)


def test_a_group_is_drawn_as_often_as_another_of_any_size():
    groups = np.array([0] * 90 + list(range(1, 11)))
    drawn = draw_images(groups, np.ones(100), (11_000,), np.random.default_rng(0))
    assert 800 < (groups[drawn] == 0).sum() < 1200
    assert len(np.unique(drawn)) == 100


def test_an_image_of_weight_0_is_never_drawn_but_its_near_duplicates_are():
    weights = np.array([0.0, 2.0, 0.0, 1.0, 3.0])
    drawn = draw_images(np.array([0, 0, 1, 2, 3]), weights, (6000,), np.random.default_rng(0))
    assert set(drawn) == {1, 3, 4}
    assert 2850 < (drawn == 4).sum() < 3150


def test_bursts_have_the_given_mean_length_and_keep_the_class_proportions(reference):
    rng = np.random.default_rng(1)
    classes = reference.truth[draw_streams(reference, (20, 3000), rng, burst=4.0)]
    share = np.bincount(reference.truth) / 300
    assert np.bincount(classes.ravel()) / classes.size == pytest.approx(share, abs=0.02)
    same = (classes[:, 1:] == classes[:, :-1]).mean()
    assert same == pytest.approx(3 / 4 + (share**2).sum() / 4, abs=0.01)


def test_daily_proportions_have_the_given_standard_deviation_and_sum_to_1():
    mean = np.array([0.3, 0.3, 0.4, 0.0])
    drawn = draw_daily_proportions(mean, (50, 40), 0.05, np.random.default_rng(2))
    assert drawn.sum(axis=-1) == pytest.approx(1)
    assert drawn[..., 0].std() == pytest.approx(0.05 * np.sqrt(1 - 0.3 * 2 + 0.34), rel=0.15)
    assert (drawn[..., 3] == 0).all()


def test_a_stream_has_the_given_class_proportions(reference):
    proportions = np.array([0.7, 0.0, 0.3])
    rng = np.random.default_rng(3)
    drawn = draw_streams(reference, (5, 2000), rng, proportions=proportions)
    shares = np.bincount(reference.truth[drawn].ravel(), minlength=3) / drawn.size
    assert shares == pytest.approx(proportions, abs=0.03)


def test_weekends_and_seasons_move_the_planned_proportions_by_the_given_points():
    mean = np.array([0.3, 0.3, 0.4, 0.0])
    weekend = plan_proportions(mean, 14, weekend=0.16)
    assert weekend[[0, 4, 7]] == pytest.approx(np.tile(mean, (3, 1)))
    assert weekend[[5, 6, 12, 13], 0] == pytest.approx(0.46)
    season = plan_proportions(np.full(4, 0.25), 60, season=0.1)
    assert season.max(axis=0) == pytest.approx(0.35, abs=0.01)
    assert season.min(axis=0) == pytest.approx(0.15, abs=0.01)
    for planned in (weekend, season):
        assert planned.sum(axis=1) == pytest.approx(1)


def test_a_day_of_a_stream_has_its_number_of_images(reference):
    rng = np.random.default_rng(4)
    drawn = draw_streams(reference, (20, 7 * 300), rng, per_day=300, weekend=0.5)
    first = (reference.truth[drawn] == 0).reshape(20, 7, 300).mean(axis=(0, 2))
    assert first[5:].min() > first[:5].max() + 0.3
