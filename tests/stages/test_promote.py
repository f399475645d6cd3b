import json

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.base.tables import read_csv
from flowers.model import folder as model_folder
from flowers.model.card import LIBRARIES


def candidate(repo_copy):
    folder = repo_copy.path / "models/candidate"
    return folder, json.loads((folder / "card.json").read_text())


def decision(repo_copy):
    return json.loads((repo_copy.path / "metrics/promotion.json").read_text())


def test_the_candidate_answers_its_golden_photos_as_its_card_says(finished_run):
    folder, card = candidate(finished_run)
    assert len(card["golden"]) == 5
    assert (
        model_folder.measure_golden_difference(model_folder.load_predictor(folder), folder) < 1e-6
    )


def test_the_card_names_everything_a_server_needs(finished_run):
    _, card = candidate(finished_run)
    assert card["classes"] == ["Lilly", "Lotus", "Orchid", "Sunflower", "Tulip"]
    assert card["features"] == ["pixels"] and card["size"] == 32
    assert set(LIBRARIES) < set(card["versions"])
    assert card["decision"]["champion"] == decision(finished_run)["champion"]
    assert card["model"]["md5"] == decision(finished_run)["md5"]


def test_a_good_candidate_passes_the_gate(finished_run):
    assert decision(finished_run)["passed"] is True


@pytest.mark.parametrize(
    "params", [{"promote.min_accuracy_low": 0.99}, {"promote.max_log_loss": 0.01}]
)
def test_a_candidate_that_fails_the_gate_is_recorded_as_such(workdir, params):
    workdir.run_stage("promote", **params)
    assert decision(workdir)["passed"] is False
    assert candidate(workdir)[1]["decision"]["passed"] is False


@pytest.mark.slow
def test_a_leaky_split_fails_the_gate(repo_copy):
    repo_copy.set_params(**{"split.strategy": "random"})
    repo_copy.run("dvc", "repro", "promote")
    assert decision(repo_copy)["passed"] is False
    failed = [check["check"] for check in decision(repo_copy)["checks"] if not check["passed"]]
    assert any("near-duplicate" in check for check in failed)


@pytest.mark.slow
def test_the_candidate_holds_its_codebook_and_repeats_the_test_predictions(fisher_run):
    model = model_folder.load_predictor(fisher_run.path / "models/candidate")
    rows = read_csv(fisher_run.path / "metrics/predictions.csv")
    name = json.loads((fisher_run.path / "metrics/promotion.json").read_text())["champion"]
    for i in range(5):
        photo = (fisher_run.path / "data/photos" / rows["path"][i]).read_bytes()
        expected = [float(rows[f"{name}_{c}"][i]) for c in model.classes]
        np.testing.assert_allclose(
            model.predict([model.load(photo)])[0].probabilities, expected, atol=1e-5
        )


@pytest.mark.slow
def test_a_changed_codebook_is_refused(fisher_run, tmp_path):
    repo_copy = fisher_run.copy_to(tmp_path / "repository")
    path = repo_copy.path / "models/candidate/codebook.npz"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content + b".")
    with pytest.raises(BadInput, match=r"codebook\.npz"):
        model_folder.load_predictor(repo_copy.path / "models/candidate")
