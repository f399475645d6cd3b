"""Demands on codebooks: what they learn from, the same on any machine, whole as a file."""

import dataclasses

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from flowers.base.errors import BadInput
from flowers.base.parallel import parallel_map, use_workers
from flowers.features.codebook import read_codebook, write_codebook
from flowers.features.codebook_fitting import (
    fit_codebook,
    fit_mixture,
    sample_descriptors,
    select_images,
)
from flowers.features.descriptors import WIDTHS
from flowers.features.fisher import extract_fisher
from tests.flowers.features.codebooks import RECIPE, blobs, learnt, small_codebook


def as_bytes(codebook, folder):
    write_codebook(folder / "codebook.npz", codebook)
    return (folder / "codebook.npz").read_bytes()


def test_only_the_given_rows_are_learnt_from(tmp_path):
    images, rows = blobs(), np.arange(8)
    before = as_bytes(learnt(images, rows=rows), tmp_path)
    images[8:] = 0
    assert as_bytes(learnt(images, rows=rows), tmp_path) == before
    images[0] = 0
    assert as_bytes(learnt(images, rows=rows), tmp_path) != before


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_the_number_of_workers_changes_no_bit(tmp_path, backend):
    images = blobs()
    drawn = list(select_images(images, np.full((12, 2), (4, 3)), np.arange(12), RECIPE))
    with use_workers(3, backend):
        found = fit_codebook(list(parallel_map(sample_descriptors, drawn)), RECIPE)
    assert as_bytes(found, tmp_path) == as_bytes(small_codebook(), tmp_path)


def test_mixtures_and_projections_are_what_they_are_called():
    for name, vocabulary in small_codebook().mixtures.items():
        assert vocabulary.weights.sum() == pytest.approx(1, rel=1e-5)
        assert (vocabulary.variances > 0).all()
        descriptors, positions = sample_descriptors(blobs()[0], (4, 3), RECIPE.scales, 40, 0)
        rows = vocabulary.project_descriptors(descriptors[name], positions)
        assert rows.shape == (40, vocabulary.means.shape[1])
        # Components come in the order of their strength, x and y at the end.
        spread = rows.std(axis=0)
        assert spread[0] > spread[20]


def test_mixtures_fit_as_well_as_those_of_scikit_learn():
    drawn = [sample_descriptors(blob, (4, 3), RECIPE.scales, 200, 0) for blob in blobs(30)]
    descriptors = np.concatenate([found["lcs"] for found, _ in drawn])
    positions = np.concatenate([places for _, places in drawn])
    ours = fit_mixture("lcs", descriptors, positions, RECIPE)
    rows = ours.project_descriptors(descriptors, positions).astype(float)
    theirs = GaussianMixture(4, covariance_type="diag", random_state=0).fit(rows)
    plain = GaussianMixture(4, covariance_type="diag").fit(rows)
    plain.weights_ = ours.weights.astype(float)
    plain.means_, plain.covariances_ = ours.means.astype(float), ours.variances.astype(float)
    plain.precisions_cholesky_ = plain.covariances_**-0.5
    one = GaussianMixture(1, covariance_type="diag").fit(rows)
    assert plain.score(rows) - one.score(rows) > 0.9 * (theirs.score(rows) - one.score(rows))


def test_a_file_gives_back_what_was_written(tmp_path):
    write_codebook(tmp_path / "codebook.npz", small_codebook())
    found = read_codebook(tmp_path / "codebook.npz")
    assert found.scales == RECIPE.scales and list(found.mixtures) == list(WIDTHS)
    for name, vocabulary in small_codebook().mixtures.items():
        for field in dataclasses.fields(vocabulary):
            expected = getattr(vocabulary, field.name)
            np.testing.assert_array_equal(getattr(found.mixtures[name], field.name), expected)


def test_nothing_learnt_is_a_file_of_the_same_bytes_that_reads_as_nothing(tmp_path):
    assert as_bytes(None, tmp_path) == as_bytes(None, tmp_path)
    assert read_codebook(tmp_path / "codebook.npz") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04", b"PK\x05\x06"])
def test_what_is_no_codebook_is_named(tmp_path, content):
    (tmp_path / "codebook.npz").write_bytes(content)
    with pytest.raises(BadInput, match="codebook.npz"):
        read_codebook(tmp_path / "codebook.npz")


def test_more_words_than_descriptors_are_refused():
    recipe = dataclasses.replace(RECIPE, words=100, photos=1, per_photo=10)
    with pytest.raises(BadInput, match=r"codebook\.words"):
        learnt(blobs(1), recipe)


@pytest.mark.parametrize("value", [0, 90])
def test_photos_of_one_colour_give_a_codebook_that_can_be_used(value):
    plain = np.full((3, 32, 32, 3), value, np.uint8)
    codebook = learnt(plain)
    assert np.isfinite(extract_fisher(plain, None, codebook).astype(float)).all()
    assert np.isfinite(extract_fisher(blobs(1), None, codebook).astype(float)).all()
