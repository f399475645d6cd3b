import json

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.base.tables import read_csv
from flowers.model.folder import load_predictor, measure_golden_difference

CANDIDATE = "models/candidate"


def read_card(repo):
    return json.loads((repo.path / CANDIDATE / "card.json").read_text())


def read_decision(repo):
    return json.loads((repo.path / "metrics/promotion.json").read_text())


def test_the_candidate_predicts_its_golden_images_as_in_its_card(finished_run):
    folder = finished_run.path / CANDIDATE
    assert len(read_card(finished_run)["golden"]) == 5
    assert measure_golden_difference(load_predictor(folder), folder) < 1e-6


def test_the_card_describes_the_run(finished_run):
    card = read_card(finished_run)
    decision = read_decision(finished_run)
    assert card["classes"] == ["Lilly", "Lotus", "Orchid", "Sunflower", "Tulip"]
    assert card["features"] == ["pixels"] and card["size"] == 32
    names = {"name": "flowers", "title": "Which flower is it?", "noun": "flower"}
    assert card["study"] == names
    assert card["model"]["md5"] == decision["md5"]
    assert card["decision"]["champion"] == decision["champion"] and decision["passed"] is True


def test_a_failed_gate_is_recorded(workdir):
    path = workdir.path / "metrics/split.json"
    path.write_text(path.read_text().replace('"leaked_test_photos": 0', '"leaked_test_photos": 1'))
    params = {"promote.min_accuracy_low": 0.99, "promote.max_log_loss": 0.01}
    workdir.run_stage("promote", **params)
    decision = read_decision(workdir)
    assert read_card(workdir)["decision"]["passed"] is decision["passed"] is False
    assert [check["passed"] for check in decision["checks"]] == [False, False, True, False]


@pytest.mark.slow
def test_a_candidate_with_a_codebook_predicts_the_test_images_as_the_evaluation_did(fisher_run):
    predictor = load_predictor(fisher_run.path / CANDIDATE)
    rows = read_csv(fisher_run.path / "metrics/predictions.csv")
    name = read_decision(fisher_run)["champion"]
    photos = fisher_run.path / "data/photos"
    predictions = predictor.predict_bytes([(photos / p).read_bytes() for p in rows["path"][:5]])
    for i, prediction in enumerate(predictions):
        expected = [float(rows[f"{name}_{c}"][i]) for c in predictor.classes]
        np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-5)


@pytest.mark.slow
def test_a_changed_codebook_is_rejected(fisher_run, tmp_path):
    repo = fisher_run.copy_to(tmp_path / "repository")
    path = repo.path / CANDIDATE / "codebook.npz"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content + b".")
    with pytest.raises(BadInput, match=r"codebook\.npz"):
        load_predictor(repo.path / CANDIDATE)
