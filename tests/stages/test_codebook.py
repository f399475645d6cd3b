import numpy as np
import pytest

from flowers.base.tables import read_csv
from flowers.features.codebook import read_codebook

PATH = "models/codebook.npz"


def test_without_fisher_the_codebook_has_the_same_bytes_for_any_split(workdir):
    before = (workdir.path / PATH).read_bytes()
    assert read_codebook(workdir.path / PATH) is None
    workdir.run_stage("split", **{"split.seed": 7})
    workdir.run_stage("codebook", **{"codebook.words": 99})
    assert (workdir.path / PATH).read_bytes() == before


@pytest.mark.slow
def test_the_codebook_depends_on_the_training_photos_only(fisher_run, tmp_path):
    repo_copy = fisher_run.copy_to(tmp_path / "repository")
    before = (repo_copy.path / PATH).read_bytes()
    rows = read_csv(repo_copy.path / "data/split.csv")
    images = np.load(repo_copy.path / "data/images.npy")
    images[rows["part"] == "test"] = 0
    np.save(repo_copy.path / "data/images.npy", images)
    repo_copy.run_stage("codebook")
    assert (repo_copy.path / PATH).read_bytes() == before
    images[rows["part"] == "train"] = 0
    np.save(repo_copy.path / "data/images.npy", images)
    repo_copy.run_stage("codebook")
    assert (repo_copy.path / PATH).read_bytes() != before
