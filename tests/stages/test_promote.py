import json

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.base.tables import read_csv
from flowers.model import folder as model_folder
from flowers.model.card import LIBRARIES


def candidate(shop):
    folder = shop.path / "models/candidate"
    return folder, json.loads((folder / "card.json").read_text())


def decision(shop):
    return json.loads((shop.path / "metrics/promotion.json").read_text())


def test_the_candidate_answers_its_golden_photos_as_its_card_says(finished):
    folder, card = candidate(finished)
    assert len(card["golden"]) == 5
    assert (
        model_folder.measure_golden_difference(model_folder.load_predictor(folder), folder) < 1e-6
    )


def test_the_card_names_everything_a_server_needs(finished):
    _, card = candidate(finished)
    assert card["classes"] == ["Lilly", "Lotus", "Orchid", "Sunflower", "Tulip"]
    assert card["features"] == ["pixels"] and card["size"] == 32
    assert set(LIBRARIES) < set(card["versions"])
    assert card["decision"]["champion"] == decision(finished)["champion"]
    assert card["model"]["md5"] == decision(finished)["md5"]


def test_a_good_candidate_passes_the_gate(finished):
    assert decision(finished)["passed"] is True


@pytest.mark.parametrize(
    "params", [{"promote.min_accuracy_low": 0.99}, {"promote.max_log_loss": 0.01}]
)
def test_a_candidate_that_fails_the_gate_is_recorded_as_such(desk, params):
    desk.stage("promote", **params)
    assert decision(desk)["passed"] is False
    assert candidate(desk)[1]["decision"]["passed"] is False


@pytest.mark.slow
def test_a_leaky_split_fails_the_gate(shop):
    shop.set(**{"split.strategy": "random"})
    shop.run("dvc", "repro", "promote")
    assert decision(shop)["passed"] is False
    failed = [check["check"] for check in decision(shop)["checks"] if not check["passed"]]
    assert any("near-duplicate" in check for check in failed)


@pytest.mark.slow
def test_the_candidate_carries_its_codebook_and_answers_as_the_test_photos_were_answered(learned):
    model = model_folder.load_predictor(learned.path / "models/candidate")
    rows = read_csv(learned.path / "metrics/predictions.csv")
    name = json.loads((learned.path / "metrics/promotion.json").read_text())["champion"]
    for i in range(5):
        photo = (learned.path / "data/photos" / rows["path"][i]).read_bytes()
        expected = [float(rows[f"{name}_{c}"][i]) for c in model.classes]
        np.testing.assert_allclose(
            model.predict([model.load(photo)])[0].probabilities, expected, atol=1e-5
        )


@pytest.mark.slow
def test_a_changed_codebook_is_refused(learned, tmp_path):
    shop = learned.copied(tmp_path / "repository")
    path = shop.path / "models/candidate/codebook.npz"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content + b".")
    with pytest.raises(BadInput, match=r"codebook\.npz"):
        model_folder.load_predictor(shop.path / "models/candidate")
