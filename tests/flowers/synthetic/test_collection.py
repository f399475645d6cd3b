"""Demands on the drawn photo set: repeatable, twins as described, hazards as named."""

import io
from itertools import islice
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image, ImageOps

from flowers.base.errors import BadInput
from flowers.synthetic.collection import generate_images
from flowers.synthetic.malformed import MALFORMED_FILES, READABLE_FILES
from flowers.synthetic.picture import SPECIES, draw_photo

PER_CLASS, TWIN_SHARE, CONFLICTS = 8, 0.25, 3
TWIN_CORRELATION = 0.97


@pytest.fixture(scope="module")
def files():
    return dict(generate_images(PER_CLASS, TWIN_SHARE, CONFLICTS, seed=5, n_jobs=1))


@pytest.fixture(scope="module")
def numbered(files):
    return {name: content for name, content in files.items() if name not in MALFORMED_FILES}


def opened(content):
    return Image.open(io.BytesIO(content))


def thumbnail(picture):
    small = picture.convert("RGB").resize((16, 16), Image.Resampling.BOX)
    numbers = np.asarray(small, float).ravel()
    numbers -= numbers.mean()
    return numbers / np.linalg.norm(numbers)


def likeness(pictures):
    """Highest correlation of each pair of thumbnails, one of them as it is or mirrored."""
    plain = np.stack([thumbnail(picture) for picture in pictures])
    mirrored = np.stack([thumbnail(ImageOps.mirror(picture)) for picture in pictures])
    return np.maximum(plain @ plain.T, plain @ mirrored.T)


@pytest.fixture(scope="module")
def alike(numbered):
    """Pairs of names of numbered files that show the same picture by the thumbnail rule."""
    names = list(numbered)
    near = likeness([opened(content) for content in numbered.values()]) > TWIN_CORRELATION
    return [(names[i], names[j]) for i, j in zip(*np.nonzero(np.triu(near, 1)), strict=True)]


def folder(name):
    return PurePosixPath(name).parent.name


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_two_workers_give_the_same_bytes_as_one(backend):
    one, two = (
        list(generate_images(2, 0.5, 2, seed=1, n_jobs=n_jobs, backend=backend))
        for n_jobs in (1, 2)
    )
    assert one == two


def test_another_seed_gives_other_bytes_under_every_number():
    first, second = (
        [
            content
            for name, content in generate_images(2, 0, 0, seed=seed, n_jobs=1)
            if name[-5].isdigit()
        ]
        for seed in (1, 2)
    )
    assert not set(first) & set(second)


def test_the_global_random_state_has_no_influence(files):
    np.random.seed(1)  # noqa: NPY002
    again = generate_images(PER_CLASS, TWIN_SHARE, CONFLICTS, seed=5, n_jobs=1)
    assert list(islice(again, PER_CLASS)) == list(files.items())[:PER_CLASS]


@pytest.mark.parametrize("species", SPECIES)
def test_every_species_is_drawn_in_colour_at_the_promised_size(species):
    for seed in range(4):
        picture = draw_photo(species, np.random.default_rng(seed))
        assert picture.mode == "RGB"
        assert 160 <= min(picture.size) and max(picture.size) <= 320
        assert np.asarray(picture).std() > 5


def test_the_same_generator_state_draws_the_same_picture():
    pictures = [draw_photo("Lotus", np.random.default_rng(7)).tobytes() for _ in range(2)]
    assert pictures[0] == pictures[1]


def test_an_unknown_species_is_refused():
    with pytest.raises(BadInput):
        draw_photo("Rose", np.random.default_rng(0))


def test_each_class_has_per_class_numbered_readable_files(numbered):
    for content in numbered.values():
        opened(content).load()
    for species in SPECIES:
        stems = [PurePosixPath(name).stem for name in numbered if folder(name) == species]
        assert sorted(stems) == [f"{number:04d}" for number in range(PER_CLASS)]


def test_suffixes_tell_the_format(numbered):
    for name, content in numbered.items():
        assert Image.registered_extensions()[PurePosixPath(name).suffix] == opened(content).format


def test_distinct_pictures_are_not_taken_for_twins():
    drawn = [draw_photo(s, np.random.default_rng([9, n])) for s in SPECIES for n in range(12)]
    assert not (np.triu(likeness(drawn), 1) > TWIN_CORRELATION).any()


def test_every_twin_is_found_by_the_thumbnail_rule(alike, numbered):
    groups = {name: {name} for name in numbered}
    for one, other in alike:
        merged = groups[one] | groups[other]
        groups.update(dict.fromkeys(merged, merged))
    pictures = {frozenset(group) for group in groups.values()}
    assert len(numbered) - len(pictures) == int(PER_CLASS * TWIN_SHARE) * len(SPECIES)


def test_conflicts_are_twins_under_another_species(alike):
    misfiled = {frozenset(pair) for pair in alike if folder(pair[0]) != folder(pair[1])}
    assert len(misfiled) >= CONFLICTS


def test_without_conflicts_no_twin_is_under_another_species():
    content = {
        n: c for n, c in generate_images(4, 0.25, 0, seed=2, n_jobs=1) if n not in MALFORMED_FILES
    }
    near = likeness([opened(c) for c in content.values()]) > TWIN_CORRELATION
    folders = np.array([folder(name) for name in content])
    assert near.sum() > len(content)
    assert (folders[:, None] == folders)[near].all()


def test_hazards_are_there_whatever_the_seed(files):
    assert set(MALFORMED_FILES) < set(files)
    assert {folder(name) for name in MALFORMED_FILES} == set(SPECIES)


@pytest.mark.parametrize("name", READABLE_FILES)
def test_readable_hazards_load(files, name):
    opened(files[name]).load()


def test_the_truncated_jpeg_opens_but_does_not_load(files):
    picture = opened(files["Lilly/truncated.jpg"])
    with pytest.raises(OSError):
        picture.load()


@pytest.mark.parametrize("name", ["Lotus/notes.jpg", "Orchid/empty.jpg", "Tulip/Thumbs.db"])
def test_files_that_are_no_photos_do_not_open(files, name):
    with pytest.raises(Image.UnidentifiedImageError):
        opened(files[name])


def test_the_text_is_text_and_the_empty_file_is_empty(files):
    assert files["Lotus/notes.jpg"].decode("ascii").endswith("\n")
    assert files["Orchid/empty.jpg"] == b""


def test_odd_pixel_formats_are_what_their_names_say(files):
    sixteen = opened(files["Lotus/16bit.png"])
    assert sixteen.mode == "I;16" and np.asarray(sixteen).max() > 255
    cmyk = opened(files["Orchid/cmyk.jpg"])
    assert (cmyk.format, cmyk.mode) == ("JPEG", "CMYK")
    palette = opened(files["Sunflower/palette-alpha.png"])
    assert palette.mode == "P"
    assert palette.convert("RGBA").getchannel("A").getextrema() == (0, 255)
    assert opened(files["Lilly/extensionless"]).format == "JPEG"


def test_the_rotated_jpeg_looks_right_once_transposed(files):
    assert opened(files["Tulip/exif-rotated.jpg"]).getexif()[0x0112] == 6
    picture = draw_photo("Tulip", np.random.default_rng(0))
    stored = opened(MALFORMED_FILES["Tulip/exif-rotated.jpg"](picture))
    assert stored.size == picture.size[::-1]
    seen = ImageOps.exif_transpose(stored)
    assert np.abs(np.asarray(seen, float) - np.asarray(picture, float)).mean() < 10


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
        {"n_jobs": 0},
        {"backend": "dask"},
    ],
)
def test_an_argument_out_of_range_is_refused_at_the_call(wrong):
    with pytest.raises(BadInput, match=next(reversed(wrong))):
        generate_images(**wrong)
