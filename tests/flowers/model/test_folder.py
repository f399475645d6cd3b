"""The model folder: found, written, verified, and rejected if it is not the expected model."""

import hashlib
import json
import math
import shutil

import numpy as np
import pytest

from flowers.base.determinism import LIBRARIES
from flowers.base.errors import BadInput
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.persistence import save_model
from flowers.log.record import build_prediction_record
from flowers.model import folder as model_folder
from flowers.model.card import (
    SCHEMA_VERSION,
    get_attestation_path,
    hash_folder,
    write_attestation,
)
from flowers.model.folder import (
    TYPICALITY,
    find_model_folder,
    load_predictor,
    measure_golden_difference,
)
from flowers.model.typicality import fit_typicality
from scoring.responses import describe_prediction
from tests.flowers.images.photo_files import encode_image, make_picture
from tests.flowers.learning.estimator_data import CLASSES
from tests.flowers.model.run_summary import RUN_SUMMARY

SIZE = 16
GOLDEN = {
    "1-Lotus.jpg": encode_image(make_picture(), "JPEG"),
    "2-Tulip.png": encode_image(make_picture(30, 60), "PNG"),
}
PROVENANCE = {"version": "v1.2.0", "tag": "flowers#production#1", "commit": "0" * 40}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A model folder and its card."""
    root = tmp_path_factory.mktemp("models")
    X = np.random.default_rng(0).integers(0, 256, (50, 3 * SIZE**2), dtype=np.uint8)
    file = root / "nb.joblib"
    save_model(CalibratedNB(folds=2).fit(X, np.tile(CLASSES, 10)), file)
    preprocessing = {"features": ["pixels"], "size": SIZE}
    preprocessing["typicality"] = fit_typicality(X, np.full(50, True))
    reference = [{"row": 0, "label": "Lotus", "typicality": "0.25"}]
    arguments = (file, preprocessing, GOLDEN, reference, RUN_SUMMARY)
    card = model_folder.write_model_folder(root / "candidate", *arguments)
    return root / "candidate", card


@pytest.fixture(name="folder")
def copy_folder(written, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(written[0], tmp_path / "models" / "candidate")


@pytest.fixture
def promoted(folder):
    """A model folder with provenance and attestation."""
    (folder / "provenance.json").write_text(json.dumps(PROVENANCE))
    write_attestation(folder, PROVENANCE, hash_folder(folder))
    return folder


def read_card(folder):
    return json.loads((folder / "card.json").read_text())


def change_card(folder, **changes):
    (folder / "card.json").write_text(json.dumps(read_card(folder) | changes))


def append_byte(path):
    path.write_bytes(path.read_bytes() + b".")


def test_the_card_has_the_digests_and_what_a_scorer_needs(written):
    folder, card = written
    content = (folder / card["model"]["file"]).read_bytes()
    assert card["schema_version"] == SCHEMA_VERSION
    assert card["model"]["bytes"] == len(content)
    assert card["model"]["md5"] == hashlib.md5(content).hexdigest()
    assert card["model"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["classes"] == CLASSES.tolist()
    assert (card["features"], card["size"]) == (["pixels"], SIZE)
    assert set(card["versions"]) == {"python", *LIBRARIES}
    assert card["metrics"] == RUN_SUMMARY["metrics"]
    assert read_card(folder) == card


def test_a_loaded_model_predicts_its_golden_images_as_before(written):
    predictor = load_predictor(written[0])
    assert [entry["file"] for entry in predictor.card["golden"]] == list(GOLDEN)
    assert measure_golden_difference(predictor, written[0]) == 0
    (prediction,) = predictor.predict_bytes([GOLDEN["1-Lotus.jpg"]])
    assert prediction.label == predictor.classes[int(prediction.probabilities.argmax())]
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert (predictor.version, predictor.role) == ("untagged", "candidate")


def test_another_golden_prediction_is_a_difference(folder):
    golden = read_card(folder)["golden"]
    golden[0]["probabilities"] = [1.0, 0.0, 0.0, 0.0, 0.0]
    change_card(folder, golden=golden)
    assert measure_golden_difference(load_predictor(folder), folder) > 0.01
    golden[0]["label"] = next(c for c in CLASSES.tolist() if c != golden[0]["label"])
    change_card(folder, golden=golden)
    assert measure_golden_difference(load_predictor(folder), folder) == math.inf


def test_another_golden_typicality_is_a_difference_and_a_damaged_file_is_refused(folder):
    card = read_card(folder)
    assert load_predictor(folder).typicality_threshold == card["typicality"]["threshold"] == 0.25
    card["golden"][0]["typicality"] += 0.1
    change_card(folder, golden=card["golden"])
    assert measure_golden_difference(load_predictor(folder), folder) == pytest.approx(0.1)
    append_byte(folder / TYPICALITY)
    with pytest.raises(BadInput, match=TYPICALITY):
        load_predictor(folder)


def test_a_model_of_an_earlier_version_has_no_typicality(folder):
    card = read_card(folder)
    del card["typicality"]
    golden = [{k: v for k, v in entry.items() if k != "typicality"} for entry in card["golden"]]
    (folder / "card.json").write_text(json.dumps(card | {"golden": golden}))
    (folder / TYPICALITY).unlink()
    predictor = load_predictor(folder)
    assert measure_golden_difference(predictor, folder) == 0
    (prediction,) = predictor.predict_bytes([GOLDEN["1-Lotus.jpg"]])
    assert describe_prediction(predictor, prediction)["typical"] is None
    assert "typicality" not in build_prediction_record(predictor, prediction, "a", 0, "canary", b"")


def test_provenance_makes_it_a_production_model_of_its_version(promoted):
    predictor = load_predictor(promoted)
    assert (predictor.version, predictor.role) == ("v1.2.0", "production")


def change_provenance(folder, **changes):
    (folder / "provenance.json").write_text(json.dumps(PROVENANCE | changes))


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: get_attestation_path(folder).unlink(),
        lambda folder: get_attestation_path(folder).write_text("{}"),
        lambda folder: (folder / "provenance.json").unlink(),
        lambda folder: change_provenance(folder, version="v9.9.9"),
        lambda folder: change_provenance(folder, tag="v9.9.9"),
        lambda folder: change_provenance(folder, commit="v9.9.9"),
        lambda folder: append_byte(folder / "golden/1-Lotus.jpg"),
        lambda folder: append_byte(folder / "reference.csv"),
    ],
)
def test_a_promoted_folder_that_differs_from_its_attestation_is_rejected(promoted, change):
    change(promoted)
    with pytest.raises(BadInput, match=r"attestation\.json"):
        load_predictor(promoted)


def test_another_model_with_a_matching_card_is_rejected_before_it_is_loaded(promoted, monkeypatch):
    append_byte(promoted / "model.joblib")
    content = (promoted / "model.joblib").read_bytes()
    digests = {name: hashlib.new(name, content).hexdigest() for name in ("md5", "sha256")}
    change_card(promoted, model=read_card(promoted)["model"] | digests)
    monkeypatch.setattr(model_folder.persistence, "load_model", pytest.fail)
    with pytest.raises(BadInput, match=r"attestation\.json"):
        load_predictor(promoted)


def test_a_required_sha256_is_compared(folder):
    sha256 = hashlib.sha256((folder / "model.joblib").read_bytes()).hexdigest()
    assert load_predictor(folder, sha256).version == "untagged"
    with pytest.raises(BadInput, match="MODEL_SHA256"):
        load_predictor(folder, "0" * 64)


def test_a_named_folder_precedes_production_and_production_the_candidate(folder):
    models = folder.parent
    assert find_model_folder(models) == folder
    shutil.copytree(folder, models / "production")
    assert find_model_folder(models) == models / "production"
    assert find_model_folder(models, "elsewhere").name == "elsewhere"


def test_a_production_folder_without_a_card_is_not_replaced_by_the_candidate(folder):
    (folder.parent / "production").mkdir()
    with pytest.raises(BadInput, match="production"):
        find_model_folder(folder.parent)
    with pytest.raises(BadInput, match="no model"):
        find_model_folder(folder)


def test_a_production_folder_that_is_gone_is_not_replaced_by_the_candidate(folder):
    attestation = get_attestation_path(folder.parent / "production")
    attestation.write_text("{}")
    with pytest.raises(BadInput, match="production is missing"):
        find_model_folder(folder.parent)
    attestation.unlink()
    assert find_model_folder(folder.parent) == folder


def test_a_model_folder_can_be_the_working_folder(promoted, monkeypatch):
    monkeypatch.chdir(promoted / "golden")
    assert load_predictor("..").version == "v1.2.0"
    monkeypatch.chdir(promoted)
    assert load_predictor(".").version == "v1.2.0"
    append_byte(promoted / "reference.csv")
    with pytest.raises(BadInput, match=r"attestation\.json"):
        load_predictor(".")


def test_a_changed_or_missing_file_is_rejected_by_name(folder):
    append_byte(folder / "model.joblib")
    with pytest.raises(BadInput, match=r"model\.joblib has md5"):
        load_predictor(folder)
    for name in ("model.joblib", "card.json"):
        (folder / name).unlink()
        with pytest.raises(BadInput, match=name):
            load_predictor(folder)


def test_a_folder_of_an_older_schema_version_is_rejected_with_a_remedy(folder):
    card = read_card(folder)
    card["form"] = card.pop("schema_version") - 1
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(BadInput, match="schema version 3.*dvc repro") as error:
        load_predictor(folder)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{oops", "[]", "7", "null", "{}", "[" * 100_000, "\udcff"])
@pytest.mark.parametrize("name", ["card.json", "provenance.json"])
def test_invalid_json_is_rejected_by_file_name(folder, name, text):
    (folder / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadInput, match=name):
        load_predictor(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": []},
        {"classes": ["a", "a"]},
        {"classes": None},
        {"classes": CLASSES[::-1].tolist()},
        {"features": "pixels"},
        {"size": "16"},
        {"model": {}},
        {"model": {"file": "../model.joblib", "md5": "0", "sha256": "0"}},
        {"golden": [{"file": "/etc/passwd", "probabilities": [0.5, 0.5]}]},
        {"golden": [{"file": "a.jpg", "probabilities": [2]}]},
    ],
)
def test_an_invalid_card_is_rejected(folder, changes):
    change_card(folder, **changes)
    with pytest.raises(BadInput, match=r"card\.json"):
        load_predictor(folder)
