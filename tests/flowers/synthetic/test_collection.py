"""The synthetic images: repeatable, with near-duplicates and malformed files as documented."""

import io
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image, ImageOps

from flowers.base.errors import BadInput
from flowers.synthetic.collection import generate_images
from flowers.synthetic.malformed import MALFORMED_FILES
from flowers.synthetic.picture import SPECIES, draw_photo

PER_CLASS = 8
SHARE = 0.25
CONFLICTS = 3
THRESHOLD = 0.97


@pytest.fixture(scope="module")
def files():
    return dict(generate_images(PER_CLASS, SHARE, CONFLICTS, seed=5, n_jobs=1))


@pytest.fixture(scope="module")
def numbered(files):
    return {name: content for name, content in files.items() if name not in MALFORMED_FILES}


def open_image(content):
    return Image.open(io.BytesIO(content))


def make_thumbnail(picture):
    small = picture.convert("RGB").resize((16, 16), Image.Resampling.BOX)
    numbers = np.asarray(small, float).ravel()
    numbers -= numbers.mean()
    return numbers / np.linalg.norm(numbers)


def correlate(pictures):
    """Correlation of each pair of thumbnails, the higher of direct and mirrored."""
    plain = np.stack([make_thumbnail(picture) for picture in pictures])
    mirrored = np.stack([make_thumbnail(ImageOps.mirror(picture)) for picture in pictures])
    return np.maximum(plain @ plain.T, plain @ mirrored.T)


@pytest.fixture(scope="module")
def duplicates(numbered):
    """Pairs of names of numbered files whose thumbnails correlate."""
    names = list(numbered)
    near = correlate([open_image(content) for content in numbered.values()]) > THRESHOLD
    return [(names[i], names[j]) for i, j in zip(*np.nonzero(np.triu(near, 1)), strict=True)]


@pytest.fixture(scope="module")
def photos():
    """Distinct photos, eight of each species in turn."""
    return [draw_photo(s, np.random.default_rng([9, n])) for s in SPECIES for n in range(8)]


def get_folder(name):
    return PurePosixPath(name).parent.name


def test_two_workers_give_the_same_bytes_as_one():
    one, two = (list(generate_images(2, 0.5, 2, seed=1, n_jobs=n_jobs)) for n_jobs in (1, 2))
    assert one == two


def test_another_seed_gives_other_bytes_under_every_number():
    first, second = (dict(generate_images(2, 0, 0, seed=seed, n_jobs=1)) for seed in (1, 2))
    numbers = [name for name in first if name[-5].isdigit()]
    assert not {first[name] for name in numbers} & {second[name] for name in numbers}


def test_photos_are_in_colour_and_of_the_documented_size(photos):
    for picture in photos:
        assert picture.mode == "RGB"
        assert 160 <= min(picture.size) and max(picture.size) <= 288
        assert np.asarray(picture).std() > 5


def test_colour_alone_does_not_identify_a_species(photos):
    colours = np.stack([np.asarray(picture).mean(axis=(0, 1)) for picture in photos])
    distances = np.linalg.norm(colours[:, None] - colours, axis=2)
    np.fill_diagonal(distances, np.inf)
    species = np.repeat(np.arange(len(SPECIES)), 8)
    assert (species[distances.argmin(axis=1)] == species).mean() < 0.5


def test_each_class_has_per_class_numbered_files_of_the_format_in_their_suffix(numbered):
    suffixes = Image.registered_extensions()
    for name, content in numbered.items():
        picture = open_image(content)
        picture.load()
        assert suffixes[PurePosixPath(name).suffix] == picture.format
    for species in SPECIES:
        stems = [PurePosixPath(name).stem for name in numbered if get_folder(name) == species]
        assert sorted(stems) == [f"{number:04d}" for number in range(PER_CLASS)]


def test_distinct_pictures_do_not_correlate(photos):
    assert not (np.triu(correlate(photos), 1) > THRESHOLD).any()


def test_every_near_duplicate_correlates_with_its_picture(duplicates, numbered):
    groups = {name: {name} for name in numbered}
    for one, other in duplicates:
        merged = groups[one] | groups[other]
        groups.update(dict.fromkeys(merged, merged))
    pictures = {frozenset(group) for group in groups.values()}
    assert len(numbered) - len(pictures) == int(PER_CLASS * SHARE) * len(SPECIES)


def test_conflicts_are_near_duplicates_in_the_folder_of_another_species(duplicates):
    misfiled = {
        frozenset(pair) for pair in duplicates if get_folder(pair[0]) != get_folder(pair[1])
    }
    assert len(misfiled) >= CONFLICTS


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_class": 1},
        {"per_class": 100_000},
        {"near_duplicate_share": -0.1},
        {"near_duplicate_share": 0.51},
        {"near_duplicate_share": float("nan")},
        {"wrong_labels": -1},
        {"per_class": 4, "wrong_labels": 6},
        {"seed": -1},
    ],
)
def test_an_argument_out_of_range_is_refused_at_the_call(wrong):
    with pytest.raises(BadInput, match=next(reversed(wrong))):
        generate_images(**wrong)
