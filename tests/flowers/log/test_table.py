import numpy as np

from flowers.log.table import NEARBY, find_near_repeats

BASE = 0xF0F0F0F0F0F0F0F0


def find(*hashes):
    return find_near_repeats(np.array(hashes, np.uint64)).tolist()


def test_an_image_with_nearly_the_hash_of_an_earlier_one_is_its_repeat():
    other = ~BASE % 2**64
    assert find(BASE, other, BASE ^ 0b111111, BASE ^ 0b1111111) == [0, 1, 0, 2]
    assert find(0, 0, 0) == [0, 1, 2]  # without a hash
    assert find() == [] and find(BASE) == [0]


def test_images_far_apart_are_not_compared():
    others = np.random.default_rng(0).integers(1, 2**63, NEARBY, dtype=np.uint64)
    assert find(BASE, *others[1:], BASE)[-1] == 0
    assert find(BASE, *others, BASE)[-1] == NEARBY + 1
