"""The process: signals, too many requests, and models that must not be served."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scoring.server.settings import processors
from tests.logged import records
from tests.scoring.server.gated import Gate, Gated
from tests.scoring.server.service import environment, promoted, running, until, write_model


def start(folder, **variables):
    """Run a server that is expected to refuse."""
    return subprocess.run(
        [sys.executable, "-m", "scoring.server"],
        cwd=folder,
        env=environment(**{"PORT": "0"} | variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_wrong_setting_ends_it_with_one_line(tmp_path):
    ended = start(tmp_path, PORT="http")
    assert ended.returncode == 1
    assert "PORT=http" in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_without_a_model_it_says_what_to_do(tmp_path):
    ended = start(tmp_path)
    assert ended.returncode == 1
    assert "dvc repro" in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_a_model_folder_that_is_named_is_not_replaced_by_another(place):
    ended = start(place, MODEL_DIR="models/other")
    assert ended.returncode == 1
    assert "models/other" in ended.stderr


def test_a_model_that_answers_otherwise_than_when_trained_is_not_served(place):
    path = place / "models" / "candidate" / "card.json"
    card = json.loads(path.read_text())
    card["golden"][0]["probabilities"].reverse()
    path.write_text(json.dumps(card))
    ended = start(place)
    assert ended.returncode == 1
    assert "golden" in ended.stderr and len(ended.stderr.splitlines()) == 1

    path.write_text(path.read_text()[:-9])
    ended = start(place)
    assert ended.returncode == 1
    assert "card.json" in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_killed_under_load_no_acknowledged_record_is_lost(place, photo):
    with running(place) as service:
        with service.load(photo) as answers:
            for _ in range(2):
                enough = len(answers) + 30
                until(lambda enough=enough: len(answers) >= enough)
                worker = service.worker
                os.kill(worker, signal.SIGKILL)
                until(lambda worker=worker: service.worker != worker)
            enough = len(answers) + 30
            until(lambda: len(answers) >= enough)
    acknowledged = {name for name, outcome in answers if outcome == 200}
    assert len(acknowledged) >= 60
    assert {outcome for _, outcome in answers if isinstance(outcome, int)} == {200}
    logged = [record["request_id"] for record in records(service.logs)]
    assert acknowledged <= set(logged)
    assert len(logged) == len(set(logged))


def test_hup_takes_up_another_model_and_no_request_fails(place, candidate, photo):
    production = place / "models" / "production"
    with running(place) as service, service.load(photo) as answers:
        assert service.get("/version").json["model_version"] == "untagged"
        shutil.copytree(candidate, production)
        promoted(production, version="v9.0.0")
        os.kill(service.process.pid, signal.SIGHUP)
        until(lambda: service.get("/version").json["model_version"] == "v9.0.0")
        assert service.get("/version").json["model_used"] == "production"
        assert service.get("/version").json["tag"] == "flowers#production#1"

        # A damaged model is not taken up, and the one at work stays.
        with (production / "model.joblib").open("ab") as file:
            file.write(b"x")
        worker = service.worker
        os.kill(service.process.pid, signal.SIGHUP)
        service.said("Not reloaded: .*models/production")
        enough = len(answers) + 10
        until(lambda: len(answers) >= enough)
        assert service.worker == worker
    assert {outcome for _, outcome in answers} == {200}


def test_requests_beyond_the_queue_are_429_and_those_in_flight_outlive_sigterm(tmp_path, photo):
    gate = Gate(tmp_path)
    write_model(tmp_path / "models" / "candidate", Gated(gate.path, ["a", "b"]), {"a.jpg": photo})
    answers = []
    with running(tmp_path, QUEUE="1") as service:
        service.get("/health")
        gate.close()

        def ask():
            answers.append(service.predict(("a.jpg", photo)))

        threads = [threading.Thread(target=ask) for _ in range(processors() + 1)]
        for thread in threads:
            thread.start()
        # Every place is taken before the one that finds none comes.
        until(lambda: service.count("flowers_requests_in_progress") == len(threads))
        refused = service.predict(("a.jpg", photo))
        assert refused.status == 429
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert int(refused.headers["Retry-After"]) >= 1
        assert service.get("/health").status == 200

        service.process.send_signal(signal.SIGTERM)
        service.said("Handling signal: term")
        gate.set("open")
        for thread in threads:
            thread.join()
        assert service.process.wait(60) == 0
    assert [answer.status for answer in answers] == [200] * len(threads)
    assert len(list(records(service.logs))) == len(threads)


@pytest.mark.slow
def test_a_master_that_is_killed_leaves_its_port_to_the_next(place, photo):
    with running(place) as service, service.load(photo, clients=1) as answers:
        until(lambda: len(answers) >= 10)
        worker = service.worker
        service.process.kill()
        service.process.wait()
        with running(place, PORT=str(service.port)) as another:
            assert another.get("/health").status == 200
        until(lambda: not Path(f"/proc/{worker}/status").is_file() or _is_dead(worker))
        acknowledged = {name for name, outcome in answers if outcome == 200}
    assert acknowledged <= {record["request_id"] for record in records(service.logs)}


def _is_dead(process):
    return "Z (zombie)" in Path(f"/proc/{process}/status").read_text()
