"""The responses of every endpoint, and what they leave in the log."""

import json
import os
import shutil

import pytest
from PIL import Image

from flowers.model.folder import load_predictor
from tests.flowers.images.photo_files import encode_image
from tests.logged import read_records

FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://[::1"},
    {"Origin": "https://evil.example", "Sec_Fetch_Site": "none"},
)


def read_problem(answer, status):
    """Read the problem of an answer, after checking what all problems have."""
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
    names = ["file", "label", "confidence", "confident", "typical", "probabilities"]
    assert list(prediction) == names
    assert list(probabilities) == classes
    assert sum(probabilities.values()) == pytest.approx(1.0)
    assert prediction["label"] == max(probabilities, key=probabilities.get)
    assert prediction["confidence"] == probabilities[prediction["label"]]


def test_probabilities_are_those_of_the_model_and_the_card_bit_by_bit(service, candidate, photos):
    predictor = load_predictor(candidate)
    # The large image is decoded in another process.
    large = encode_image(Image.linear_gradient("L").resize((3000, 3000)), "JPEG")
    images = list(photos.items())[::4] + [("large.jpg", large)]
    alone = [predictor.predict([predictor.load(content)])[0] for _, content in images]
    answers = [service.predict(*images[:3]), service.predict(*images[3:])]
    predictions = [entry for answer in answers for entry in answer.json["predictions"]]
    assert [entry["file"] for entry in predictions] == [name for name, _ in images]
    values = [list(entry["probabilities"].values()) for entry in predictions]
    assert values == [prediction.probabilities.tolist() for prediction in alone]
    card = json.loads((candidate / "card.json").read_text())
    golden = {entry["file"]: entry["probabilities"] for entry in card["golden"]}
    assert len(golden) == 5
    for (name, _), probabilities in zip(images[:5], values[:5], strict=True):
        assert golden[name] == probabilities


def test_images_below_the_threshold_are_not_typical_and_the_log_has_the_score(
    service, candidate, photos
):
    predictor = load_predictor(candidate)
    threshold = predictor.typicality_threshold
    white = encode_image(Image.new("RGB", (40, 40), "white"), "JPEG")
    files = [*list(photos.items())[:3], ("white.jpg", white)]
    body = service.predict(*files).json
    scores = [predictor.load(content).typicality for _, content in files]
    expected = [score >= threshold for score in scores]
    assert set(expected) == {True, False}
    assert [p["typical"] for p in body["predictions"]] == expected
    records = [r for r in read_records(service.logs) if r["request_id"] == body["request_id"]]
    assert [r["typicality"] for r in records] == [round(score, 6) for score in scores]


def test_bad_photos_alone_are_one_problem_and_among_good_ones_entries_with_errors(service, photo):
    for content, status, reason in (
        (b"words", 415, "not a JPEG, PNG or WEBP"),
        (photo[:500], 422, "truncated"),
        (b"", 422, "empty"),
    ):
        body = read_problem(service.predict(("b.jpg", content)), status)
        assert (body["file"], body["reason"]) == ("b.jpg", reason)
    bad = [("a.jpg", photo[:500]), ("b.txt", b"x")]
    errors = read_problem(service.predict(*bad), 422)["errors"]
    assert [(e["file"], e["status"]) for e in errors] == [("a.jpg", 422), ("b.txt", 415)]
    *errors, good = service.predict(*bad, ("c.jpg", photo)).json["predictions"]
    assert [e["error"]["status"] for e in errors] == [422, 415] and "label" in good


def test_a_prediction_is_in_the_log_with_all_a_report_needs(service, photo):
    body = service.predict(("secret.jpg", photo), ("b.jpg", b"words"), ("c.jpg", photo)).json
    records = [r for r in read_records(service.logs) if r["request_id"] == body["request_id"]]
    assert [(r["kind"], r["role"], r["index"]) for r in records] == [
        ("prediction", "production", 0),
        ("prediction", "production", 2),
    ]
    record = records[0]
    prediction = body["predictions"][0]
    assert record["probabilities"] == prediction["probabilities"]
    assert (record["label"], record["model_version"]) == (prediction["label"], "untagged")
    assert record["model_md5"] == service.get("/version").json["model_md5"]
    assert record["time"].endswith("+00:00") and record["latency_ms"] > 0
    image = record["image"]
    assert image["width"] >= 160 and image["height"] >= 160
    assert 0 <= min(image["mean"]) <= image["brightness"] <= max(image["mean"]) <= 1
    assert not any(b"secret" in path.read_bytes() for path in service.logs.iterdir())


def test_feedback_is_in_the_log_under_the_id_of_the_prediction(service, photo, classes):
    request_id = service.predict(("a.jpg", photo)).json["request_id"]
    label = {"request_id": request_id, "index": 0, "true_label": classes[2]}
    answer = service.send_label(label)
    assert answer.status == 202
    assert answer.json == {"state": "recorded"} | label
    record = [r for r in read_records(service.logs) if r["request_id"] == request_id][-1]
    assert record.pop("time")
    assert record == {"kind": "feedback"} | label
    for wrong in ({"true_label": "Rose"}, {"true_label": [classes[0]]}, {"request_id": 7}):
        read_problem(service.send_label(label | wrong), 422)
    read_problem(service.call("POST", "/feedback", "{}", Content_Type="text/plain"), 415)


def test_a_refused_request_keeps_its_id_and_a_used_one_is_extended(service, photo):
    for name in ("once", "x" * 64):
        ids = {"X_Request_Id": name}
        read_problem(service.predict(("a.jpg", photo[:500]), **ids), 422)
        read_problem(service.predict(**ids), 400)
        answers = [service.predict(("a.jpg", photo), **ids) for _ in range(3)]
        used = [answer.json["request_id"] for answer in answers]
        assert used == [answer.headers["X-Request-Id"] for answer in answers]
        assert used[0] == name and len(set(used)) == 3
        assert all(
            name.startswith(request_id[:27]) or request_id.startswith(name) for request_id in used
        )
        logged = [r["request_id"] for r in read_records(service.logs)]
        assert [logged.count(request_id) for request_id in used] == [1, 1, 1]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_posts_nothing(service, photo, classes, headers):
    count = len(list(read_records(service.logs)))
    read_problem(service.predict(("a.jpg", photo), **headers), 403)
    label = json.dumps({"request_id": "a", "true_label": classes[0]})
    answer = service.call("POST", "/feedback", label, Content_Type="application/json", **headers)
    read_problem(answer, 403)
    assert len(list(read_records(service.logs))) == count
    assert service.call("GET", "/health", **headers).status == 200


def test_the_own_page_posts_also_behind_a_proxy_with_tls(service, photo):
    for scheme in ("http", "https"):
        origin = f"{scheme}://127.0.0.1:{service.port}"
        assert service.predict(("a.jpg", photo), Origin=origin).status == 200


def test_a_host_name_that_is_made_to_point_here_is_refused(service):
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil:80"):
        read_problem(service.call("GET", "/version", Host=host), 400)
    assert service.call("GET", "/version", Host="LOCALHOST:1").status == 200


def test_the_state_names_the_running_model(service, candidate, classes):
    card = json.loads((candidate / "card.json").read_text())
    for path, state in (("/health", "alive"), ("/ready", "ready"), ("/version", None)):
        answer = service.get(path)
        body = answer.json
        assert (answer.status, body.get("state")) == (200, state)
        assert (body["model_role"], body["model_version"]) == ("candidate", "untagged")
        assert (body["model_md5"], body["tag"]) == (card["model"]["md5"], None)
        assert body["started"] <= body["loaded_at"]
    assert (body["classes"], body["canary"]) == (classes, None)
    assert service.get("/ready").json["checks"] == {"log": "ok"}


@pytest.fixture
def report(service):
    """Path of the drift report of the service, in a folder for one test."""
    folder = service.folder / "monitoring/drift"
    folder.mkdir(parents=True)
    yield folder / "drift.json"
    shutil.rmtree(folder.parent)


def test_the_drift_report_is_passed_on_with_its_age(service, report):
    def read_state():
        return service.get("/monitoring/drift").json["state"]

    assert read_state() == "no report yet"
    report.write_text(json.dumps({"state": "alert", "windows": [1, 2]}))
    os.utime(report, (0, report.stat().st_mtime - 3600))
    body = service.get("/monitoring/drift").json
    assert 3600 <= body.pop("age_seconds") < 3700
    assert body == {"state": "alert", "windows": [1, 2]}
    report.write_text(json.dumps({"state": "alert", "md5": "0" * 32}))
    assert read_state() == "report of another model"
    for damaged in ('{"state": ', "[]", "[" * 100_000):
        report.write_text(damaged)
        assert read_state() == "report not readable"
    for make in (os.mkfifo, lambda path: path.symlink_to(path), lambda path: path.mkdir()):
        report.unlink()
        make(report)
        assert read_state() == "no report yet"


def test_metrics_count_what_happened(service, photo):
    label = service.predict(("a.jpg", photo)).json["predictions"][0]["label"]
    labels = f'{{label="{label}",model_version="untagged",role="production"}}'
    names = (
        'scorer_requests_total{endpoint="/predict",status="200"}',
        f"scorer_predictions_total{labels}",
        'scorer_rejected_images_total{reason="truncated"}',
    )
    before = [service.count(name) for name in names]
    service.predict(("a.jpg", photo), ("b.jpg", photo[:500]))
    assert [service.count(name) for name in names] == [value + 1 for value in before]
