import numpy as np
import pytest

from flowers.drift.means import LENGTHS, RUNS, Means
from flowers.drift.watch import (
    FLOWERS,
    LABELS,
    LEVELS,
    PHOTOS,
    WRONG,
    Ring,
    first_ring,
    kind,
    stretch,
    ties,
)
from flowers.drift.windows import Held, Windows, compared
from flowers.log.table import build_row_dtype
from tests.flowers.drift.test_martingale import answers

PARAMS = {"wealth_limit": 100, "window": 10, "alpha": 0.01, "proportion_tolerance": 0.05}


def quiet_but(**found):
    """Tests of 1,000 photos in which nothing is unlikely, but for what is given."""
    quiet = {name: np.ones((20, len(LENGTHS))) for name in LEVELS}
    quiet["off"] = np.full((20, len(RUNS)), -np.inf)
    return Means(ends=50 * np.arange(1, 21), window=250, **quiet | found)


def test_the_capital_rings_at_the_photo_that_reaches_it_and_began_at_its_lowest():
    line = np.log(np.r_[0.5, 0.1, 0.2, 5, 101, 3, 500])
    assert first_ring(line, quiet_but(), PARAMS) == Ring("capital", 2, 4)
    assert first_ring(line, quiet_but(), PARAMS | {"wealth_limit": 1000}) is None


@pytest.mark.parametrize("by", LEVELS)
def test_means_ring_once_they_are_unlikely_enough_about_the_photos_that_are(by):
    flat, low, level = np.zeros(1000), np.ones((20, len(LENGTHS))), np.ones(9) * LEVELS[by]
    low[11, 1], low[12, 3] = level[1], level[3] / 9
    assert first_ring(flat, quiet_but(**{by: low}), PARAMS) == Ring(by, 600 - LENGTHS[1], 599)
    assert first_ring(flat, quiet_but(**{by: low * 1.01}), PARAMS) == Ring(
        by, 650 - LENGTHS[3], 649
    )
    assert first_ring(flat, quiet_but(**{by: low * 10}), PARAMS) is None


def test_the_photos_a_ring_is_about_are_those_least_likely_for_how_often_they_are_looked_at():
    low = np.ones((20, len(LENGTHS)))
    low[11, 0], low[11, 4] = LEVELS["scores"][0] / 2, LEVELS["scores"][4] / 3
    assert low[11].argmin() == 0
    assert first_ring(np.zeros(1000), quiet_but(scores=low), PARAMS).since == 600 - LENGTHS[4]


def test_the_mix_rings_after_as_many_windows_as_it_takes():
    flat, off = np.zeros(1000), np.full((20, len(RUNS)), -np.inf)
    off[15, 1] = RUNS[3]
    assert first_ring(flat, quiet_but(off=off), PARAMS) == Ring("mix", 800 - 3 * 250, 799)
    assert first_ring(flat, quiet_but(off=off - 0.01), PARAMS) is None


def test_what_rings_first_is_told():
    line, low = np.r_[np.zeros(250), np.full(750, 9.0)], np.ones((20, len(LENGTHS)))
    low[3] = 1e-9
    assert first_ring(line, quiet_but(scores=low), PARAMS).by == "scores"
    assert first_ring(line[200:], quiet_but(scores=low), PARAMS).by == "capital"


def test_a_ring_is_about_two_windows_from_its_beginning_or_as_far_as_it_took():
    rows = np.arange(100)
    assert stretch(Ring("mix", 5, 19), rows, 10).tolist() == list(range(5, 25))
    assert stretch(Ring("capital", 5, 60), rows, 10).tolist() == list(range(5, 61))


@pytest.fixture(scope="module")
def other_mix():
    rng = np.random.default_rng(2)
    truth, late = rng.integers(0, 3, 500), rng.choice(3, 1000, p=[0.6, 0.2, 0.2])
    return Held(answers(truth, rng), truth, np.zeros((500, 8))), answers(late, rng)


@pytest.mark.parametrize(
    ("by", "told"), [("capital", PHOTOS), ("scores", PHOTOS), ("mix", FLOWERS), (LABELS, WRONG)]
)
def test_what_rang_tells_what_has_changed_where_all_else_is_another_mix(by, told, other_mix):
    held, stream = other_mix
    params = PARAMS | {"window": 250}
    assert kind(Ring(by, 300, 700), quiet_but(), held, stream, params) == told


def test_a_mix_of_photos_that_have_changed_is_a_change_of_the_photos(other_mix):
    held, stream = other_mix
    ring, params = Ring("mix", 300, 700), PARAMS | {"window": 250}
    other = stream**3 / (stream**3).sum(axis=1, keepdims=True)
    assert kind(ring, quiet_but(), held, other, params) == PHOTOS
    # 300 to 800 are two windows, and 400 photos the longest test that fits in.
    low = np.ones((20, len(LENGTHS)))
    low[15, LENGTHS.index(400)] = 0.005
    assert kind(ring, quiet_but(scores=low), held, stream, params) == PHOTOS
    low[15, LENGTHS.index(400)] = 0.02
    assert kind(ring, quiet_but(scores=low), held, stream, params) == FLOWERS


def test_a_tie_is_broken_by_the_answer_and_the_photo_and_by_no_label_or_time():
    rows = np.zeros(3, build_row_dtype(2))
    rows["image"][1, 0] = 0.5
    rows["time"][2], rows["truth"][2] = np.datetime64("2026-01-01"), 1
    found = ties(rows)
    assert found[0] == found[2] != found[1]
    assert ((found > 0) & (found < 1)).all()
    many = np.zeros(4000, build_row_dtype(2))
    many["image"][:, 0] = np.arange(4000)
    assert np.histogram(ties(many), 4, (0, 1))[0] == pytest.approx(1000, abs=100)


def test_a_mix_is_forgiven_as_far_as_it_is_tolerated():
    rng = np.random.default_rng(1)
    truth, late = rng.integers(0, 3, 500), rng.choice(3, 2000, p=[0.7, 0.2, 0.1])
    held = Held(answers(truth, rng), truth, np.zeros((500, 8)))
    stream = answers(late, rng)
    smallest = [Windows.of(held, stream, 1000, t).p_values.min() for t in (0, 0.05, 0.2, 0.5)]
    assert smallest == sorted(smallest)
    assert smallest[1] < 0.01 < smallest[3]


def test_another_mix_alone_is_no_difference_and_other_answers_are():
    rng = np.random.default_rng(0)
    truth, late = rng.integers(0, 3, 500), rng.choice(3, 1000, p=[0.7, 0.2, 0.1])
    held = Held(answers(truth, rng), truth, np.zeros((500, 8)))
    p_mix, _, change, _ = compared(held, answers(late, rng)[None])
    assert p_mix.min() > 0.01 and change[0, 0] > 0.2
    p_photos, *_ = compared(held, answers(late, rng, strength=0.5)[None])
    assert p_photos.min() < 1e-4
