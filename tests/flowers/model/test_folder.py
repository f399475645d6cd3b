"""Demands on the model folder: found, written, verified, and refused where it is another."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.persistence import save_model
from flowers.model import folder as model_folder
from flowers.model.card import (
    LIBRARIES,
    SCHEMA_VERSION,
    get_attestation_path,
    hash_folder,
    write_attestation,
)
from tests.flowers.images.photo_files import encode_image, make_picture
from tests.flowers.learning.estimator_data import CLASSES
from tests.flowers.model.evidence import EVIDENCE

SIZE = 16
GOLDEN = {
    "1-Lotus.jpg": encode_image(make_picture(), "JPEG"),
    "2-Tulip.png": encode_image(make_picture(30, 60), "PNG"),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a model, and its card."""
    place = tmp_path_factory.mktemp("models")
    X = np.random.default_rng(0).integers(0, 256, (50, 3 * SIZE**2), dtype=np.uint8)
    save_model(CalibratedNB(folds=2).fit(X, np.tile(CLASSES, 10)), place / "nb.joblib")
    preparation = {"features": ["pixels"], "size": SIZE}
    reference = [{"row": 0, "label": "Lotus"}]
    folder = place / "candidate"
    evidence = EVIDENCE
    return folder, model_folder.write_model_folder(
        folder, place / "nb.joblib", preparation, GOLDEN, reference, evidence
    )


@pytest.fixture
def folder(written, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(written[0], tmp_path / "models" / "candidate")


def altered(folder, **facts):
    card = json.loads((folder / "card.json").read_text()) | facts
    (folder / "card.json").write_text(json.dumps(card))


def test_the_card_names_the_model_by_its_bytes_and_what_a_server_needs(written):
    folder, card = written
    content = (folder / card["model"]["file"]).read_bytes()
    assert card["schema_version"] == SCHEMA_VERSION
    assert card["model"]["bytes"] == len(content)
    assert card["model"]["md5"] == hashlib.md5(content).hexdigest()
    assert card["model"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["classes"] == CLASSES.tolist()
    assert (card["features"], card["size"]) == (["pixels"], SIZE)
    assert set(card["versions"]) == {"python", *LIBRARIES}
    assert card["metrics"] == EVIDENCE["metrics"]
    assert json.loads((folder / "card.json").read_text()) == card


def test_a_loaded_model_gives_its_golden_answers(written):
    model = model_folder.load_predictor(written[0])
    assert [entry["file"] for entry in model.card["golden"]] == list(GOLDEN)
    assert model_folder.measure_golden_difference(model, written[0]) == 0
    answer = model.predict([model.load(GOLDEN["1-Lotus.jpg"])])[0]
    assert answer.label == model.classes[int(answer.probabilities.argmax())]
    assert answer.probabilities.sum() == pytest.approx(1)
    assert (model.version, model.role) == ("untagged", "candidate")


def test_another_golden_answer_is_a_difference(folder):
    card = json.loads((folder / "card.json").read_text())
    card["golden"][0]["probabilities"] = [1.0, 0.0, 0.0, 0.0, 0.0]
    altered(folder, golden=card["golden"])
    assert (
        model_folder.measure_golden_difference(model_folder.load_predictor(folder), folder) > 0.01
    )


ORIGIN = {"version": "v1.2.0", "tag": "flowers#production#1", "commit": "0" * 40}


@pytest.fixture
def promoted(folder):
    """A model folder with an origin, and the digest that vouches for it beside."""
    (folder / "provenance.json").write_text(json.dumps(ORIGIN))
    write_attestation(folder, ORIGIN, hash_folder(folder))
    return folder


def test_an_origin_makes_it_a_production_model_of_its_version(promoted):
    model = model_folder.load_predictor(promoted)
    assert (model.version, model.role) == ("v1.2.0", "production")


def test_an_origin_that_nothing_vouches_for_is_refused(promoted):
    get_attestation_path(promoted).unlink()
    with pytest.raises(BadInput, match="fetch"):
        model_folder.load_predictor(promoted)


@pytest.mark.parametrize("key", ["version", "tag", "commit"])
def test_an_origin_that_claims_another_version_is_refused(promoted, key):
    (promoted / "provenance.json").write_text(json.dumps(ORIGIN | {key: "v9.9.9"}))
    with pytest.raises(BadInput, match="v9.9.9"):
        model_folder.load_predictor(promoted)


def test_a_promoted_folder_without_its_origin_is_refused(promoted):
    (promoted / "provenance.json").unlink()
    with pytest.raises(BadInput, match="attestation"):
        model_folder.load_predictor(promoted)


def test_another_model_with_a_card_of_its_own_is_refused_before_it_is_loaded(promoted, monkeypatch):
    content = (promoted / "model.joblib").read_bytes() + b"."
    kinds = {kind: hashlib.new(kind, content).hexdigest() for kind in ("md5", "sha256")}
    (promoted / "model.joblib").write_bytes(content)
    altered(promoted, model=json.loads((promoted / "card.json").read_text())["model"] | kinds)
    monkeypatch.setattr(model_folder.persistence, "load_model", lambda path: pytest.fail("it is loaded"))
    with pytest.raises(BadInput, match="attestation.json"):
        model_folder.load_predictor(promoted)


@pytest.mark.parametrize("name", ["golden/1-Lotus.jpg", "reference.csv"])
def test_a_promoted_folder_with_another_byte_anywhere_is_refused(promoted, name):
    with (promoted / name).open("ab") as file:
        file.write(b".")
    with pytest.raises(BadInput, match="attestation.json"):
        model_folder.load_predictor(promoted)


def test_a_digest_that_is_none_is_refused(promoted):
    get_attestation_path(promoted).write_text("{}")
    with pytest.raises(BadInput, match="attestation.json"):
        model_folder.load_predictor(promoted)


def test_a_model_that_is_named_by_its_sha256_must_have_it(folder):
    sha256 = hashlib.sha256((folder / "model.joblib").read_bytes()).hexdigest()
    assert model_folder.load_predictor(folder, sha256).version == "untagged"
    with pytest.raises(BadInput, match="MODEL_SHA256"):
        model_folder.load_predictor(folder, "0" * 64)


def test_class_names_that_the_model_does_not_know_are_refused(folder):
    altered(folder, classes=[*CLASSES.tolist()[1:], CLASSES.tolist()[0]])
    with pytest.raises(BadInput, match="classes"):
        model_folder.load_predictor(folder)


def test_another_golden_label_is_a_difference(folder):
    golden = json.loads((folder / "card.json").read_text())["golden"]
    assert all(entry["label"] in CLASSES for entry in golden)
    golden[0]["label"] = next(c for c in CLASSES.tolist() if c != golden[0]["label"])
    altered(folder, golden=golden)
    assert model_folder.measure_golden_difference(
        model_folder.load_predictor(folder), folder
    ) == float("inf")


def test_production_is_found_before_the_candidate_and_a_named_folder_before_both(folder):
    models = folder.parent
    assert model_folder.find_model_folder(models) == folder
    shutil.copytree(folder, models / "production")
    assert model_folder.find_model_folder(models) == models / "production"
    assert model_folder.find_model_folder(models, "elsewhere").name == "elsewhere"


def test_a_production_folder_without_a_card_never_becomes_the_candidate(folder):
    (folder.parent / "production").mkdir()
    with pytest.raises(BadInput, match="production"):
        model_folder.find_model_folder(folder.parent)


def test_no_model_at_all_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no model"):
        model_folder.find_model_folder(tmp_path)


def test_a_changed_byte_is_refused(folder):
    with (folder / "model.joblib").open("ab") as file:
        file.write(b".")
    with pytest.raises(BadInput, match="md5"):
        model_folder.load_predictor(folder)


@pytest.mark.parametrize("missing", ["card.json", "model.joblib"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(BadInput, match=missing):
        model_folder.load_predictor(folder)


def test_a_folder_of_the_form_before_is_refused_with_what_to_do(folder):
    card = json.loads((folder / "card.json").read_text())
    del card["schema_version"]
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(BadInput, match="dvc repro") as refused:
        model_folder.load_predictor(folder)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{oops", "[]", "7", "null", "{}", "[" * 100_000, "\udcff"])
@pytest.mark.parametrize("name", ["card.json", "provenance.json"])
def test_what_is_no_card_or_origin_is_refused_by_name(folder, name, text):
    (folder / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadInput, match=name):
        model_folder.load_predictor(folder)


@pytest.mark.parametrize(
    "facts",
    [
        {"classes": []},
        {"classes": ["a", "a"]},
        {"classes": None},
        {"features": "pixels"},
        {"size": "16"},
        {"model": {}},
        {"model": {"file": "../model.joblib", "md5": "0", "sha256": "0"}},
        {"golden": [{"file": "/etc/passwd", "probabilities": [0.5, 0.5]}]},
        {"golden": [{"file": "a.jpg", "probabilities": [2]}]},
    ],
)
def test_a_card_that_is_not_of_its_form_is_refused(folder, facts):
    altered(folder, **facts)
    with pytest.raises(BadInput, match="card.json"):
        model_folder.load_predictor(folder)


def test_a_person_can_read_what_the_model_is_and_how_good(folder):
    text = (folder / "README.md").read_text()
    for name in CLASSES:
        assert f"| {name} | 2 | 0.500 | 0.250 | 0.333 |" in text
    assert "| accuracy on 10 held-out photos (9 distinct) | 0.500 |" in text
    assert "learnt from 40 photos" in text and "nb leads" in text
