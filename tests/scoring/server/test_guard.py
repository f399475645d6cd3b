"""What a web page elsewhere, or a client with an old id, must not do to the log."""

import pytest

from tests.logged import read_records
from tests.scoring.server.service import form
from tests.scoring.server.test_predict import problem

FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://[::1"},
    {"Origin": "https://evil.example", "Sec_Fetch_Site": "none"},
)


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_posts_nothing(service, photo, classes, headers):
    before = len(list(read_records(service.logs)))
    problem(service.predict(("a.jpg", photo), **headers), 403)
    label = f'{{"request_id": "a", "true_label": "{classes[0]}"}}'
    answer = service.call("POST", "/feedback", label, Content_Type="application/json", **headers)
    problem(answer, 403)
    assert len(list(read_records(service.logs))) == before
    assert service.call("GET", "/health", **headers).status == 200


def test_our_page_and_what_is_no_browser_post(service, photo):
    own = f"http://127.0.0.1:{service.port}"
    for headers in (
        {},
        {"Origin": own},
        {"Origin": own.replace("http", "https")},  # a proxy adds TLS
    ):
        assert service.predict(("a.jpg", photo), **headers).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:80"])
def test_a_name_that_was_made_to_point_here_is_refused(service, host):
    problem(service.call("GET", "/version", Host=host), 400)
    assert service.call("GET", "/version", Host="localhost:1").status == 200
    assert service.call("GET", "/version", Host="LOCALHOST").status == 200


def test_an_id_given_twice_is_another_one_in_the_log_and_in_the_answer(service, photo, classes):
    sent = [service.predict(("a.jpg", photo), X_Request_Id="twice") for _ in range(3)]
    ids = [answer.json["request_id"] for answer in sent]
    assert ids[0] == "twice" and len(set(ids)) == 3
    assert all(name.startswith("twice") for name in ids)
    for answer, name in zip(sent, ids, strict=True):
        assert answer.headers["X-Request-Id"] == name
        assert answer.json["request_id"] == name
    logged = [r["request_id"] for r in read_records(service.logs) if r["kind"] == "prediction"]
    assert [logged.count(name) for name in ids] == [1, 1, 1]
    assert service.send_label({"request_id": ids[1], "true_label": classes[0]}).status == 202


def test_the_longest_id_is_still_one_when_it_is_used_twice(service, photo):
    sent = [service.predict(("a.jpg", photo), X_Request_Id="x" * 64) for _ in range(2)]
    assert [len(answer.json["request_id"]) for answer in sent] == [64, 64]


def test_a_form_that_cannot_be_read_is_not_one_without_photos(service, photo):
    body, content_type = form([("a.jpg", photo), ("b.jpg", photo)])
    odd = body.replace(b"b.jpg", b"\xff\xfe.jpg")
    answer = service.call("POST", "/predict", odd, Content_Type=content_type)
    assert "UTF-8" in problem(answer, 400)["detail"]
    answer = service.call("POST", "/predict", body, Content_Type="multipart/form-data")
    assert "boundary" in problem(answer, 400)["detail"]
