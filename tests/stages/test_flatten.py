import numpy as np
import pytest

from flowers.base.tables import read_csv
from flowers.features.augmentation import alter_image
from flowers.features.codebook import read_codebook
from flowers.features.extraction import extract_features
from flowers.images.index import get_sizes


def test_pixels_are_uint8_and_without_augmentation_no_copies_are_written(finished_run):
    X = np.load(finished_run.path / "data/features.npy", mmap_mode="r")
    images = np.load(finished_run.path / "data/images.npy")
    assert X.dtype == np.uint8
    assert np.array_equal(X, images.reshape(len(images), -1))
    assert len(np.load(finished_run.path / "data/augmented.npy")) == 0


def test_features_are_concatenated_in_the_order_of_their_names(workdir):
    columns = {}
    for names in (["hog"], ["colour"], ["hog", "colour"]):
        workdir.run_stage("flatten", **{"flatten.features": names})
        columns["+".join(names)] = np.load(workdir.path / "data/features.npy")
    both = columns["hog+colour"]
    assert both.dtype == np.float32
    assert np.array_equal(both, np.hstack([columns["hog"], columns["colour"]]))


@pytest.mark.slow
def test_augmented_features_are_those_of_altered_photos(fisher_run):
    images = np.load(fisher_run.path / "data/images.npy")
    sizes = get_sizes(read_csv(fisher_run.path / "data/index.csv"))
    codebook = read_codebook(fisher_run.path / "models/codebook.npz")
    augmented = np.load(fisher_run.path / "data/augmented.npy")
    train = np.flatnonzero(read_csv(fisher_run.path / "data/split.csv")["part"] == "train")
    assert len(augmented) == len(train) < len(images)
    train = train[:5]
    altered = np.stack([alter_image(images[i], sizes[i], (1, i)) for i in train.tolist()])
    features = extract_features(altered, ["fisher"], sizes[train], codebook)
    assert np.array_equal(augmented[:5], features)
