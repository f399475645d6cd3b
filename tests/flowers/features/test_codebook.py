"""Codebooks: training images only, the same bits for any workers, files that round-trip."""

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
from tests.flowers.features.codebooks import PARAMS, fit_on_images, make_images, small_codebook


def to_bytes(codebook, folder):
    write_codebook(folder / "codebook.npz", codebook)
    return (folder / "codebook.npz").read_bytes()


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_the_number_of_workers_changes_no_bit(tmp_path, backend):
    tasks = list(select_images(make_images(), np.full((12, 2), (4, 3)), np.arange(12), PARAMS))
    with use_workers(3, backend):
        codebook = fit_codebook(list(parallel_map(sample_descriptors, tasks)), PARAMS)
    assert to_bytes(codebook, tmp_path) == to_bytes(small_codebook(), tmp_path)


def test_components_are_in_the_order_of_their_variance_and_mixtures_are_valid():
    for name, mixture in small_codebook().mixtures.items():
        assert mixture.weights.sum() == pytest.approx(1, rel=1e-5)
        assert (mixture.variances > 0).all()
        descriptors, positions = sample_descriptors(make_images()[0], (4, 3), PARAMS.scales, 40, 0)
        rows = mixture.project_descriptors(descriptors[name], positions)
        assert rows.shape == (40, mixture.means.shape[1])
        deviation = rows.std(axis=0)
        assert deviation[0] > deviation[20]


def test_mixtures_fit_as_well_as_those_of_scikit_learn():
    images = make_images(30)
    samples = [sample_descriptors(image, (4, 3), PARAMS.scales, 200, 0) for image in images]
    descriptors = np.concatenate([descriptors["lcs"] for descriptors, _ in samples])
    positions = np.concatenate([positions for _, positions in samples])
    ours = fit_mixture("lcs", descriptors, positions, dataclasses.replace(PARAMS, seed=2))
    rows = ours.project_descriptors(descriptors, positions).astype(float)
    reference = GaussianMixture(4, covariance_type="diag", random_state=0).fit(rows)
    judge = GaussianMixture(4, covariance_type="diag").fit(rows)
    judge.weights_ = ours.weights.astype(float)
    judge.means_ = ours.means.astype(float)
    judge.covariances_ = ours.variances.astype(float)
    judge.precisions_cholesky_ = judge.covariances_**-0.5
    single = GaussianMixture(1, covariance_type="diag").fit(rows).score(rows)
    assert judge.score(rows) - single > 0.9 * (reference.score(rows) - single)


def test_a_codebook_round_trips_through_its_file(tmp_path):
    write_codebook(tmp_path / "codebook.npz", small_codebook())
    codebook = read_codebook(tmp_path / "codebook.npz")
    assert codebook.scales == PARAMS.scales and list(codebook.mixtures) == list(WIDTHS)
    for name, mixture in small_codebook().mixtures.items():
        for field, expected in dataclasses.asdict(mixture).items():
            np.testing.assert_array_equal(getattr(codebook.mixtures[name], field), expected)


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04", b"PK\x05\x06"])
def test_a_file_that_is_not_a_codebook_is_named(tmp_path, content):
    (tmp_path / "codebook.npz").write_bytes(content)
    with pytest.raises(BadInput, match="codebook.npz"):
        read_codebook(tmp_path / "codebook.npz")


def test_a_codebook_of_other_descriptors_is_refused(tmp_path):
    write_codebook(tmp_path / "codebook.npz", small_codebook())
    with np.load(tmp_path / "codebook.npz") as arrays:
        for version in ({}, {"version": np.array(1)}):
            older = {key: arrays[key] for key in arrays if key != "version"} | version
            np.savez(tmp_path / "older.npz", **older)
            with pytest.raises(BadInput, match="older.npz.*version.*dvc repro"):
                read_codebook(tmp_path / "older.npz")


def test_more_words_than_descriptors_are_refused():
    params = dataclasses.replace(PARAMS, words=100, photos=1, per_photo=10)
    with pytest.raises(BadInput, match=r"codebook\.words"):
        fit_on_images(make_images(1), params)


@pytest.mark.parametrize("value", [0, 90])
def test_images_of_one_colour_give_finite_features(value):
    uniform = np.full((3, 32, 32, 3), value, np.uint8)
    codebook = fit_on_images(uniform)
    for images in (uniform, make_images(1)):
        features = extract_fisher(images, None, codebook).astype(float)
        assert np.isfinite(features).all() and features.any()
