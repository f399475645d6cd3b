"""The canary changes no response, whatever it does."""

import os
import pickle
import signal
from pathlib import Path

import pytest

from scoring.server.canary import MAX_CRASHES, WAITING_IMAGES, is_sampled
from scoring.server.metrics import CANARY_OUTCOMES
from tests.logged import read_records
from tests.scoring.server.gated import Gate, Gated
from tests.scoring.server.service import running, until, write_model
from tests.scoring.server.test_process import put_model


class Crashing(Gated):
    """A model that crashes its process in the way that its gate names."""

    def predict_proba(self, X):
        gate = Path(self.gate)
        word = gate.read_text() if gate.exists() else "closed"
        if word == "exit":
            os._exit(0)
        elif word == "segmentation fault":
            signal.raise_signal(signal.SIGSEGV)
        elif word == "memory":
            bytearray(10**11)
        return super().predict_proba(X)


def outcomes(service):
    return {
        outcome: service.count(f'flowers_canary_total{{outcome="{outcome}"}}')
        for outcome in CANARY_OUTCOMES
    }


def state(service):
    return (service.get("/version").json["canary"] or {}).get("state")


@pytest.fixture
def gated(place, classes, photo):
    """A working directory with a canary that waits while its gate is closed, and the gate."""
    gate = Gate(place)
    model = Crashing(gate.path, classes, best=len(classes) - 1)
    golden = {"a.jpg": photo}
    write_model(place / "models" / "canary", model, golden, version="v2.0.0", tag="t", commit="c")
    return place, gate


def test_the_canary_gets_its_share_of_the_requests_by_their_id():
    ids = [f"request-{number}" for number in range(5000)]
    for ratio in (0.1, 0.5):
        share = sum(is_sampled(name, ratio) for name in ids) / len(ids)
        assert abs(share - ratio) < 0.02
    assert not any(is_sampled(name, 0.0) for name in ids)
    assert all(is_sampled(name, 1.0) for name in ids)
    few, many = ({name for name in ids if is_sampled(name, ratio)} for ratio in (0.1, 0.3))
    assert few < many


def test_a_canary_that_is_slow_or_raises_changes_no_response(gated, photo, classes):
    place, gate = gated
    with running(place, CANARY_RATIO="1") as service:
        until(lambda: state(service) == "loaded")
        gate.close()
        answers = [service.predict(("a.jpg", photo), ("b.jpg", photo)) for _ in range(20)]
        assert {answer.status for answer in answers} == {200}
        # One image is in the model, as many as may wait do, and the rest is dropped.
        until(gate.arrived)
        dropped = 40 - 1 - WAITING_IMAGES
        until(lambda: abs(outcomes(service)["dropped"] - dropped) <= 1)
        scored = 40 - outcomes(service)["dropped"]
        gate.set("open")
        until(lambda: outcomes(service)["scored"] == scored)
        gate.set("raise")
        assert service.predict(*[("a.jpg", photo)] * 9).status == 200
        until(lambda: outcomes(service)["failed"] == 9)
        assert service.output.read_text().count("the canary failed") == 9
        gate.set("memory")
        service.predict(("a.jpg", photo))
        until(lambda: outcomes(service)["failed"] == 10)
        gate.set("open")
        last = service.predict(("a.jpg", photo)).json
        until(lambda: outcomes(service)["scored"] == scored + 1)
        disagreed = service.count("flowers_canary_disagreed_total")

    pairs = {}
    for record in read_records(service.logs):
        pairs.setdefault((record["request_id"], record["index"]), {})[record["role"]] = record
    both = [pair for pair in pairs.values() if "canary" in pair]
    assert all("production" in pair for pair in pairs.values())
    assert len(both) == scored + 1
    canary = pairs[last["request_id"], 0]["canary"]
    assert (canary["label"], canary["model_version"]) == (classes[-1], "v2.0.0")
    assert canary["image"] == pairs[last["request_id"], 0]["production"]["image"]
    assert disagreed == sum(pair["canary"]["label"] != pair["production"]["label"] for pair in both)


@pytest.mark.parametrize("crash", ["exit", "segmentation fault"])
def test_a_canary_that_crashes_is_switched_off_and_comes_back_on_reload(gated, photo, crash):
    place, gate = gated
    with running(place, CANARY_RATIO="1") as service:
        until(lambda: state(service) == "loaded")
        assert service.count("flowers_canary_on") == 1
        gate.set(crash)
        for _ in range(MAX_CRASHES + 2):
            assert service.predict(("a.jpg", photo)).status == 200
        service.wait_for("switched off after 3 crashes; SIGHUP")
        assert outcomes(service)["crashed"] == MAX_CRASHES
        assert service.count("flowers_canary_on") == 0
        assert service.get("/ready").status == 200
        gate.set("open")
        service.reload()
        until(lambda: state(service) == "loaded")
        service.predict(("a.jpg", photo))
        until(lambda: outcomes(service)["scored"] == 1)


class Killer:
    def __reduce__(self):
        return os._exit, (0,)


def test_a_canary_that_cannot_be_loaded_does_not_stop_the_scorer(gated, photo):
    place, _ = gated
    folder = place / "models" / "canary"
    with (folder / "model.joblib").open("ab") as file:
        file.write(b"x")
    with running(place, CANARY_RATIO="1") as service:
        service.wait_for("the canary in models/canary is not loaded")
        assert service.predict(("a.jpg", photo)).status == 200
        assert state(service).startswith("not loaded")
        assert service.get("/ready").status == 200
        (folder / "provenance.json").unlink()
        folder.with_name("canary.attestation.json").unlink()
        put_model(folder, pickle.dumps(Killer()))
        service.reload()
        service.wait_for("the canary in models/canary is not loaded", 2)
        assert service.predict(("a.jpg", photo)).status == 200
