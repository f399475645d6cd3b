import json
import re

import pytest

from tests.logged import records


def problem(answer, status):
    """The problem that an answer is, after looking at what all of them have."""
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert answer.json["title"] and answer.json["detail"]
    return answer.json


def test_one_photo_has_its_prediction_at_the_top_and_in_the_list(service, photo, classes):
    answer = service.predict(("a.jpg", photo))
    assert answer.status == 200
    body = answer.json
    (prediction,) = body["predictions"]
    assert {key: body[key] for key in prediction} == prediction
    assert list(body["probabilities"]) == classes
    assert sum(body["probabilities"].values()) == pytest.approx(1.0)
    assert body["label"] == max(body["probabilities"], key=body["probabilities"].get)
    assert body["confidence"] == body["probabilities"][body["label"]]
    assert (body["model_used"], body["model_version"]) == ("candidate", "untagged")
    assert body["file"] == "a.jpg"


def test_the_golden_photos_are_answered_as_the_card_says(service, candidate):
    card = json.loads((candidate / "card.json").read_text())
    for golden in card["golden"]:
        photo = (candidate / "golden" / golden["file"]).read_bytes()
        given = list(service.predict(("a.jpg", photo)).json["probabilities"].values())
        assert given == pytest.approx(golden["probabilities"], abs=1e-9)


def test_several_photos_are_answered_in_order_and_none_at_the_top(service, photos):
    some = list(photos.items())[:3]
    body = service.predict(*some).json
    assert [p["file"] for p in body["predictions"]] == [name for name, _ in some]
    assert body.keys() == {"request_id", "model_used", "model_version", "predictions"}


def test_a_bad_photo_among_good_ones_has_an_error_in_its_place(service, photo):
    answer = service.predict(("a.jpg", photo), ("b.txt", b"words"), ("c.jpg", photo[:500]))
    assert answer.status == 200
    good, text, cut = answer.json["predictions"]
    assert "label" in good
    assert (text["file"], text["error"]["status"]) == ("b.txt", 415)
    assert (cut["error"]["status"], cut["error"]["reason"]) == (422, "truncated")


def test_an_answer_is_in_the_log_with_all_a_report_needs(service, photo):
    body = service.predict(("a.jpg", photo), ("b.jpg", b"words"), ("c.jpg", photo)).json
    found = [r for r in records(service.logs) if r["request_id"] == body["request_id"]]
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
    answer = service.tell({"request_id": request_id, "true_label": classes[2]})
    assert answer.status == 202
    assert answer.json["state"] == "recorded"
    record = [r for r in records(service.logs) if r["request_id"] == request_id][-1]
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
    problem(service.tell(facts), 422)


def test_feedback_that_is_no_json_is_400_or_415(service):
    for body in ("{", "", b"\xff", "[" * 10_000):
        problem(service.call("POST", "/feedback", body, Content_Type="application/json"), 400)
    problem(service.call("POST", "/feedback", json.dumps({}), Content_Type="text/plain"), 415)
