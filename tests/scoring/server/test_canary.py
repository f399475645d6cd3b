"""The canary changes no response, whatever it does."""

import pytest

from scoring.server.canary import WAITING_IMAGES, is_sampled
from scoring.server.metrics import CANARY_OUTCOMES
from tests.logged import read_records
from tests.scoring.server.gated import Gate, Gated
from tests.scoring.server.service import run_server, wait_until, write_model


def count_outcomes(service):
    return {
        outcome: service.count(f'scorer_canary_total{{outcome="{outcome}"}}')
        for outcome in CANARY_OUTCOMES
    }


def read_state(service):
    return (service.get("/version").json["canary"] or {}).get("state")


@pytest.fixture(name="gate")
def make_gate(place, classes, photo):
    """Make the gate of a canary in `place`."""
    gate = Gate(place)
    model = Gated(gate.path, classes, best=len(classes) - 1)
    golden = {"a.jpg": photo}
    write_model(place / "models" / "canary", model, golden, version="v2.0.0", tag="t", commit="c")
    return gate


@pytest.fixture(name="shadowed")
def run_shadowed(place, gate):
    """Run a server whose canary gets all images."""
    with run_server(place, CANARY_RATIO="1") as service:
        wait_until(lambda: read_state(service) == "loaded")
        yield service


def test_the_canary_gets_its_share_of_the_requests_by_their_id():
    ids = {f"request-{number}" for number in range(5000)}
    few, many = ({name for name in ids if is_sampled(name, ratio)} for ratio in (0.1, 0.5))
    assert (len(few) / 5000, len(many) / 5000) == pytest.approx((0.1, 0.5), abs=0.02)
    assert few < many
    assert not any(is_sampled(name, 0.0) for name in ids)
    assert all(is_sampled(name, 1.0) for name in ids)


def test_a_canary_that_is_slow_or_raises_changes_no_response(shadowed, gate, photo, classes):
    gate.close()
    answers = [shadowed.predict(("a.jpg", photo), ("b.jpg", photo)) for _ in range(20)]
    assert {answer.status for answer in answers} == {200}
    # One image is in the model, WAITING_IMAGES wait, and the rest is dropped.
    wait_until(gate.count_arrived)
    dropped = 40 - 1 - WAITING_IMAGES
    wait_until(lambda: abs(count_outcomes(shadowed)["dropped"] - dropped) <= 1)
    scored = 40 - count_outcomes(shadowed)["dropped"]
    gate.set("open")
    wait_until(lambda: count_outcomes(shadowed)["scored"] == scored)
    for number, action in enumerate(("raise", "memory"), 1):
        gate.set(action)
        assert shadowed.predict(("a.jpg", photo)).status == 200
        wait_until(lambda n=number: count_outcomes(shadowed)["failed"] == n)
    gate.set("open")
    newest = shadowed.predict(("a.jpg", photo)).json["request_id"]
    wait_until(lambda: count_outcomes(shadowed)["scored"] == scored + 1)
    disagreed = shadowed.count("scorer_canary_disagreed_total")

    records = list(read_records(shadowed.logs))
    labels = {(r["request_id"], r["index"]): r for r in records if r["role"] == "production"}
    canary = {(r["request_id"], r["index"]): r for r in records if r["role"] == "canary"}
    assert len(canary) == scored + 1 and canary.keys() < labels.keys()
    assert disagreed == sum(canary[key]["label"] != labels[key]["label"] for key in canary)
    record = canary[newest, 0]
    assert (record["label"], record["model_version"]) == (classes[-1], "v2.0.0")
    assert record["image"] == labels[newest, 0]["image"]


@pytest.mark.slow
def test_a_canary_that_crashes_is_switched_off_and_comes_back_on_reload(shadowed, gate, photo):
    assert shadowed.count("scorer_canary_on") == 1
    for number, crash in enumerate(("exit", "segmentation fault", "exit"), 1):
        gate.set(crash)
        assert shadowed.predict(("a.jpg", photo)).status == 200
        wait_until(lambda n=number: count_outcomes(shadowed)["crashed"] == n)
    shadowed.wait_for("switched off after 3 crashes; SIGHUP")
    assert shadowed.predict(("a.jpg", photo)).status == 200
    assert shadowed.count("scorer_canary_on") == 0
    assert shadowed.get("/ready").status == 200
    gate.set("open")
    shadowed.reload()
    wait_until(lambda: read_state(shadowed) == "loaded")
    assert shadowed.count("scorer_canary_on") == 1
    shadowed.predict(("a.jpg", photo))
    wait_until(lambda: count_outcomes(shadowed)["scored"] == 1)


@pytest.mark.slow
def test_a_canary_that_cannot_be_loaded_does_not_stop_the_scorer(place, gate, photo):
    with (place / "models" / "canary" / "model.joblib").open("ab") as file:
        file.write(b"x")
    with run_server(place, CANARY_RATIO="1") as service:
        service.wait_for("the canary in models/canary is not loaded")
        assert service.predict(("a.jpg", photo)).status == 200
        assert read_state(service).startswith("not loaded")
        assert service.get("/ready").status == 200
