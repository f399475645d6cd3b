import json
import re

import pytest
from PIL import Image

from flowers.model.folder import load_predictor
from tests.flowers.images.photo_files import encode_image
from tests.logged import read_records


def problem(answer, status):
    """The problem that an answer is, after looking at what all of them have."""
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert answer.json["title"] and answer.json["detail"]
    return answer.json


def test_a_prediction_appears_once_and_the_model_beside_it(service, photo, classes):
    answer = service.predict(("a.jpg", photo))
    assert answer.status == 200
    body = answer.json
    assert body.keys() == {"request_id", "model_role", "model_version", "predictions"}
    assert (body["model_role"], body["model_version"]) == ("candidate", "untagged")
    (prediction,) = body["predictions"]
    probabilities = prediction["probabilities"]
    assert list(prediction) == ["file", "label", "confidence", "confident", "probabilities"]
    assert list(probabilities) == classes
    assert sum(probabilities.values()) == pytest.approx(1.0)
    assert prediction["label"] == max(probabilities, key=probabilities.get)
    assert prediction["confidence"] == probabilities[prediction["label"]]
    assert prediction["file"] == "a.jpg"


def test_the_golden_photos_are_answered_as_the_card_says(service, candidate):
    card = json.loads((candidate / "card.json").read_text())
    for golden in card["golden"]:
        photo = (candidate / "golden" / golden["file"]).read_bytes()
        (prediction,) = service.predict(("a.jpg", photo)).json["predictions"]
        assert list(prediction["probabilities"].values()) == pytest.approx(
            golden["probabilities"], abs=1e-9
        )


def test_several_images_are_classified_in_order(service, photos):
    some = list(photos.items())[:3]
    body = service.predict(*some).json
    assert [p["file"] for p in body["predictions"]] == [name for name, _ in some]


def test_a_bad_photo_among_good_ones_has_an_error_in_its_place(service, photo):
    answer = service.predict(("a.jpg", photo), ("b.txt", b"words"), ("c.jpg", photo[:500]))
    assert answer.status == 200
    good, text, cut = answer.json["predictions"]
    assert "label" in good
    assert (text["file"], text["error"]["status"]) == ("b.txt", 415)
    assert (cut["error"]["status"], cut["error"]["reason"]) == (422, "truncated")


def test_an_answer_is_in_the_log_with_all_a_report_needs(service, photo):
    body = service.predict(("a.jpg", photo), ("b.jpg", b"words"), ("c.jpg", photo)).json
    found = [r for r in read_records(service.logs) if r["request_id"] == body["request_id"]]
    assert [(r["kind"], r["role"], r["index"]) for r in found] == [
        ("prediction", "production", 0),
        ("prediction", "production", 2),
    ]
    record, prediction = found[0], body["predictions"][0]
    assert record["probabilities"] == prediction["probabilities"]
    assert (record["label"], record["model_version"]) == (prediction["label"], "untagged")
    assert record["model_md5"] == service.get("/version").json["model_md5"]
    assert record["time"].endswith("+00:00") and record["latency_ms"] > 0
    image = record["image"]
    assert image["width"] >= 160 and image["height"] >= 160
    assert 0 <= min(image["mean"]) <= image["brightness"] <= max(image["mean"]) <= 1
    assert len(image["std"]) == 3


def test_names_and_photos_are_not_kept(service, photo):
    service.predict(("secret.jpg", photo))
    assert not any(b"secret" in path.read_bytes() for path in service.logs.iterdir())


def test_a_valid_request_id_is_kept_and_another_replaced(service, photo):
    assert service.predict(("a.jpg", photo), X_Request_Id="my.id-7").json["request_id"] == "my.id-7"
    for bad in ("with space", "ü", "x" * 65, 'quote"'):
        answer = service.call("GET", "/health", X_Request_Id=bad.encode())
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])


def test_a_form_without_a_photo_is_400(service, photo):
    assert "file" in problem(service.predict(), 400)["detail"]
    for body, boundary in ((b"", "x"), (b"no form at all", "x"), (photo, "x")):
        answer = service.call(
            "POST", "/predict", body, Content_Type=f"multipart/form-data; boundary={boundary}"
        )
        problem(answer, 400)


def test_another_body_than_a_form_is_415(service, photo):
    problem(service.call("POST", "/predict", photo, Content_Type="image/jpeg"), 415)
    problem(service.call("POST", "/predict", photo), 415)


def test_what_is_no_photo_is_415_naming_file_and_reason(service):
    body = problem(service.predict(("b.txt", b"words")), 415)
    assert (body["file"], body["reason"]) == ("b.txt", "not a JPEG, PNG or WEBP")


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [("truncated", lambda photo: photo[:500]), ("empty", lambda photo: b"")],
)
def test_a_photo_that_cannot_be_read_is_422_naming_file_and_reason(service, photo, reason, spoil):
    body = problem(service.predict(("b.jpg", spoil(photo))), 422)
    assert (body["file"], body["reason"]) == ("b.jpg", reason)


def test_bad_photos_alone_are_one_problem_that_names_each(service, photo):
    errors = problem(service.predict(("a.jpg", photo[:500]), ("b.txt", b"x")), 422)["errors"]
    assert [(e["file"], e["status"]) for e in errors] == [("a.jpg", 422), ("b.txt", 415)]


def test_too_many_bytes_or_photos_are_413(service, photo):
    problem(service.predict(("a.jpg", bytes(3_000_000))), 413)
    problem(service.predict(*[("a.jpg", photo)] * 5), 413)


def test_an_unknown_path_or_method_is_a_problem(service):
    problem(service.get("/nothing"), 404)
    answer = service.call("DELETE", "/predict")
    problem(answer, 405)
    assert answer.headers["Allow"] == "POST"


def test_feedback_is_in_the_log_under_the_id_of_the_answer(service, photo, classes):
    request_id = service.predict(("a.jpg", photo)).json["request_id"]
    answer = service.send_label({"request_id": request_id, "true_label": classes[2]})
    assert answer.status == 202
    assert answer.json["state"] == "recorded"
    record = [r for r in read_records(service.logs) if r["request_id"] == request_id][-1]
    assert record.pop("time")
    told = {"request_id": request_id, "index": 0, "true_label": classes[2]}
    assert record == {"kind": "feedback"} | told


@pytest.mark.parametrize(
    "facts",
    [
        [],
        {},
        {"request_id": "a"},
        {"request_id": "a b", "true_label": "Tulip"},
        {"request_id": 7, "true_label": "Tulip"},
        {"request_id": "a", "true_label": "Rose"},
        {"request_id": "a", "true_label": ["Tulip"]},
        {"request_id": "a", "true_label": "Tulip", "index": -1},
        {"request_id": "a", "true_label": "Tulip", "index": True},
    ],
)
def test_feedback_with_a_wrong_field_is_422(service, facts):
    problem(service.send_label(facts), 422)


def test_feedback_that_is_no_json_is_400_or_415(service):
    for body in ("{", "", b"\xff", "[" * 10_000):
        problem(service.call("POST", "/feedback", body, Content_Type="application/json"), 400)
    problem(service.call("POST", "/feedback", json.dumps({}), Content_Type="text/plain"), 415)


def test_a_refused_request_does_not_use_up_its_id(service, photo):
    problem(service.predict(("a.jpg", photo[:500]), X_Request_Id="once"), 422)
    problem(service.predict(X_Request_Id="once"), 400)
    assert service.predict(("a.jpg", photo), X_Request_Id="once").json["request_id"] == "once"
    again = service.predict(("a.jpg", photo), X_Request_Id="once").json["request_id"]
    assert again != "once" and again.startswith("once")


def test_a_large_image_is_decoded_elsewhere_with_the_same_result(service, candidate):
    large = encode_image(Image.linear_gradient("L").resize((3000, 3000)), "JPEG")
    predictor = load_predictor(candidate)
    (expected,) = predictor.predict([predictor.load(large)])
    answer = service.predict(("a.jpg", large))
    assert answer.status == 200
    (prediction,) = answer.json["predictions"]
    assert list(prediction["probabilities"].values()) == expected.probabilities.tolist()
