import json
from collections import Counter
from hashlib import sha256

import numpy as np
import pytest
import yaml

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


def test_the_description_of_the_data_set_names_its_files_and_classes(finished_run):
    content = json.loads((finished_run.path / "metrics/dataset.json").read_text())
    index = finished_run.path / "metrics" / content["distribution"][0]["contentUrl"]
    assert content["distribution"][0]["sha256"] == sha256(index.read_bytes()).hexdigest()
    pattern = content["distribution"][1]["includes"]
    assert len(list((finished_run.path / "data").glob(pattern.removeprefix("../data/")))) > 100
    assert content["name"] == "flowers" and "license" not in content
    labels = read_csv(index)["label"].tolist()
    rows = [(row["classes/name"], row["classes/images"]) for row in content["recordSet"][0]["data"]]
    assert rows == sorted(Counter(labels).items())


def test_a_licence_is_on_both_cards(workdir):
    workdir.run_stage("promote", **{"study.license": "CC-BY-4.0"})
    assert json.loads((workdir.path / "metrics/dataset.json").read_text())["license"] == "CC-BY-4.0"
    head = (workdir.path / CANDIDATE / "README.md").read_text().split("---\n")[1]
    assert yaml.safe_load(head)["license"] == "cc-by-4.0"


@pytest.mark.parametrize("value", ["", "CC BY 4.0", "MIT\n", 4])
def test_a_licence_that_is_no_identifier_is_refused(workdir, value):
    assert "study.license" in workdir.expect_refusal("promote", **{"study.license": value})


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
