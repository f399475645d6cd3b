import pytest

from scoring.server import canary as canary_module
from scoring.server.canary import WAITING_PHOTOS, Canary, chosen
from tests.logged import records
from tests.scoring.server.gated import Gate, Gated
from tests.scoring.server.service import running, until, write_model


def outcomes(service):
    return {
        outcome: service.count(f'flowers_canary_total{{outcome="{outcome}"}}')
        for outcome in ("scored", "dropped", "failed")
    }


@pytest.fixture
def gated(place, classes):
    """A working directory with a canary that answers only while its gate is open."""
    gate = Gate(place)
    model = Gated(gate.path, classes, best=len(classes) - 1)
    write_model(place / "models" / "canary", model, {}, version="v2.0.0", tag="t", commit="c")
    return place, gate


def test_the_canary_gets_its_share_of_the_requests_by_their_id():
    ids = [f"request-{number}" for number in range(5000)]
    for ratio in (0.1, 0.5):
        share = sum(chosen(name, ratio) for name in ids) / len(ids)
        assert abs(share - ratio) < 0.02
    assert not any(chosen(name, 0.0) for name in ids)
    assert all(chosen(name, 1.0) for name in ids)
    few, many = ({name for name in ids if chosen(name, ratio)} for ratio in (0.1, 0.3))
    assert few < many


def test_a_canary_that_hangs_or_raises_touches_no_answer(gated, photo, classes):
    place, gate = gated
    with running(place, CANARY_RATIO="1") as service:
        until(lambda: (service.get("/version").json["canary"] or {}).get("state") == "loaded")
        gate.close()
        sent = [service.predict(("a.jpg", photo), ("b.jpg", photo)) for _ in range(40)]
        assert {answer.status for answer in sent} == {200}
        # One photo hangs in the model, as many as may wait do, and the rest is dropped.
        assert gate.arrived() == 1
        dropped = 80 - 1 - WAITING_PHOTOS
        assert outcomes(service) == {"scored": 0, "dropped": dropped, "failed": 0}

        gate.set("open")
        until(lambda: outcomes(service)["scored"] == 80 - dropped)

        gate.set("raise")
        answer = service.predict(("a.jpg", photo))
        assert answer.status == 200
        service.predict(*[("a.jpg", photo)] * 9)
        until(lambda: outcomes(service)["failed"] == 10)
        # One line tells of the first; the others are counted, and told a minute later.
        assert service.output.read_text().count("Traceback") == 1
        assert len(service.said("canary failed on 1 photos")) == 1
        gate.set("open")
        last = service.predict(("a.jpg", photo)).json
        until(lambda: outcomes(service)["scored"] == 80 - dropped + 1)
        disagreed = service.count("flowers_canary_disagreed_total")

    pairs = {}
    for record in records(service.logs):
        pairs.setdefault((record["request_id"], record["index"]), {})[record["role"]] = record
    both = [pair for pair in pairs.values() if "canary" in pair]
    assert all("production" in pair for pair in pairs.values())
    assert len(both) == 80 - dropped + 1
    canary = pairs[last["request_id"], 0]["canary"]
    assert (canary["label"], canary["model_version"]) == (classes[-1], "v2.0.0")
    assert canary["image"] == pairs[last["request_id"], 0]["production"]["image"]
    assert disagreed == sum(pair["canary"]["label"] != pair["production"]["label"] for pair in both)


def test_a_canary_that_cannot_be_loaded_does_not_stop_the_scorer(gated, photo):
    place, _ = gated
    with (place / "models" / "canary" / "model.joblib").open("ab") as file:
        file.write(b"x")
    with running(place, CANARY_RATIO="1") as service:
        assert service.predict(("a.jpg", photo)).status == 200
        service.said("canary in models/canary cannot be loaded")
        assert service.get("/version").json["canary"]["state"].startswith("not loaded")
        assert service.get("/ready").status == 200


def test_a_failing_canary_is_told_once_a_minute_with_a_count(monkeypatch, tmp_path, caplog):
    canary = Canary(tmp_path, 0.0, None, None, None)
    now = [100.0]
    monkeypatch.setattr(canary_module.time, "monotonic", lambda: now[0])
    for second in range(130):
        now[0] = 100.0 + second
        canary._tell(f"request-{second}")
    words = [record.getMessage() for record in caplog.records]
    assert [word.split(",")[0].split("on ")[1] for word in words] == [
        "1 photos",
        "60 photos",
        "60 photos",
    ]
