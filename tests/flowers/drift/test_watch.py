import numpy as np
import pytest

from flowers.drift.watch import Ring, first_ring, in_a_row, stretch, ties
from flowers.drift.windows import Held, Windows, compared
from flowers.log.table import row_type
from tests.flowers.drift.test_martingale import answers

KNOBS = {"capital": 100, "window": 10, "alpha": 0.01, "mix_tolerance": 0.05}


def windows(p_values, change=None):
    """Windows of 10 photos in two classes, with little noise."""
    p = np.repeat(np.array(p_values, float)[:, None], 2, axis=1)
    change = np.zeros(p.shape) if change is None else np.array(change, float)
    spans = [(10 * i, 10 * i + 10) for i in range(len(p))]
    return Windows(spans, p, np.zeros(p.shape), change, np.full(p.shape, 0.01))


@pytest.mark.parametrize(
    ("marked", "first"),
    [([], None), ([1], None), ([1, 0, 1], None), ([0, 1, 1, 1], 1), ([1, 1], 0)],
)
def test_two_in_a_row_are_found_where_they_begin(marked, first):
    assert in_a_row(np.array(marked, bool)) == first


def test_as_many_in_a_row_as_asked_for():
    assert in_a_row(np.array([1, 1, 0, 1, 1, 1], bool), 3) == 3
    assert in_a_row(np.array([1, 1], bool), 3) is None


def test_the_capital_rings_at_the_photo_that_reaches_it_and_began_at_its_lowest():
    line = np.log(np.r_[0.5, 0.1, 0.2, 5, 101, 3, 500])
    quiet = windows([1, 1])
    assert first_ring(line, quiet, KNOBS) == Ring("capital", 2, 4)
    assert first_ring(line, quiet, KNOBS | {"capital": 1000}) is None


def test_two_windows_that_differ_ring_at_the_end_of_the_second():
    flat = np.zeros(50)
    assert first_ring(flat, windows([1, 1e-4, 1, 1e-4]), KNOBS) is None
    assert first_ring(flat, windows([1, 1e-4, 1e-4]), KNOBS) == Ring("windows", 10, 29)


def test_the_mix_rings_beyond_its_tolerance_twice_on_the_same_side():
    def rung(*changes):
        return first_ring(np.zeros(30), windows([1] * len(changes), changes), KNOBS)

    assert rung([0.3, -0.3], [0.2, -0.2]) == Ring("mix", 0, 19)
    assert rung([0.3, -0.3], [-0.3, 0.3]) is None
    assert rung([0.06, -0.06], [0.06, -0.06]) is None  # not surely beyond 0.05


def test_a_mix_that_is_less_surely_off_rings_after_three_windows():
    def rung(*changes):
        return first_ring(np.zeros(30), windows([1] * len(changes), changes), KNOBS)

    off = [0.072, -0.072]  # 2.2 deviations beyond 0.05
    assert rung(off, off) is None
    assert rung(off, [0, 0], off, off) is None
    assert rung(off, off, off) == Ring("mix", 0, 29)
    assert rung(off, off, [-0.072, 0.072]) is None


def test_what_rings_first_is_told():
    line = np.r_[np.zeros(25), np.full(5, 9.0)]
    assert first_ring(line, windows([1e-4, 1e-4, 1]), KNOBS).by == "windows"
    assert first_ring(line[15:], windows([1e-4, 1e-4, 1]), KNOBS).by == "capital"


def test_a_ring_is_about_two_windows_from_its_beginning_or_as_far_as_it_took():
    rows = np.arange(100)
    assert stretch(Ring("mix", 5, 19), rows, 10).tolist() == list(range(5, 25))
    assert stretch(Ring("capital", 5, 60), rows, 10).tolist() == list(range(5, 61))


def test_a_tie_is_broken_by_the_answer_and_the_photo_and_by_no_label_or_time():
    rows = np.zeros(3, row_type(2))
    rows["image"][1, 0] = 0.5
    rows["time"][2], rows["truth"][2] = np.datetime64("2026-01-01"), 1
    found = ties(rows)
    assert found[0] == found[2] != found[1]
    assert ((found > 0) & (found < 1)).all()
    many = np.zeros(4000, row_type(2))
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
