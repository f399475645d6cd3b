"""A model that cannot be served costs one line, at the start and on reload, and no answer."""

import hashlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.scoring.server.service import PATIENCE, environment, running, until
from tests.scoring.server.test_server import start


class Pickled:
    """Whatever shall happen while a file is loaded."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def with_model(folder, content):
    """Put another model file into a folder, and its digests into the card."""
    card = json.loads((folder / "card.json").read_text())
    card["model"] |= {
        kind: hashlib.new(kind, content).hexdigest() for kind in ("md5", "sha256")
    } | {"bytes": len(content)}
    (folder / card["model"]["file"]).write_bytes(content)
    (folder / "card.json").write_text(json.dumps(card))


def with_card(folder, **facts):
    card = json.loads((folder / "card.json").read_text()) | facts
    (folder / "card.json").write_text(json.dumps(card))


FAULTS = {
    "origin is no JSON": lambda f: (f / "provenance.json").write_text("{oops"),
    "card is a list": lambda f: (f / "card.json").write_text("[]"),
    "card without classes": lambda f: (f / "card.json").write_text("{}"),
    "no card": lambda f: (f / "card.json").unlink(),
    "card is a folder": lambda f: [(f / "card.json").unlink(), (f / "card.json").mkdir()],
    "classes swapped": lambda f: with_card(
        f, classes=json.loads((f / "card.json").read_text())["classes"][::-1]
    ),
    "no pickle": lambda f: with_model(f, b"rubbish"),
    "pickle raises": lambda f: with_model(
        f, pickle.dumps(Pickled(exec, "raise ValueError('two\\nlines')"))
    ),
    "pickle leaves": lambda f: with_model(f, pickle.dumps(Pickled(sys.exit, 0))),
    "pickle kills its process": lambda f: with_model(f, pickle.dumps(Pickled(os._exit, 0))),
    "pickle is no model": lambda f: with_model(f, pickle.dumps({})),
}


STARTS = """
import json, os, sys
from scoring.server.__main__ import main
for folder in sys.argv[1:]:
    os.chdir(folder)
    try:
        main()
    except SystemExit as ended:
        print(json.dumps(str(ended.code)), flush=True)
"""


@pytest.fixture(scope="module")
def starts(candidate, tmp_path_factory):
    """What ends the start of a server on each fault; one process tries one folder after another."""
    folders = {fault: tmp_path_factory.mktemp("fault") for fault in FAULTS}
    for fault, folder in folders.items():
        shutil.copytree(candidate, folder / "models" / "candidate")
        FAULTS[fault](folder / "models" / "candidate")
    done = subprocess.run(
        [sys.executable, "-c", STARTS, *folders.values()],
        env=environment(PORT="0"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return dict(zip(folders, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_that_cannot_be_served_ends_the_start_with_one_line(starts, fault):
    (line,) = starts[fault].splitlines()
    assert line.startswith("scoring.server: ") and "models/candidate" in line


def test_the_line_is_all_that_the_process_says(place):
    FAULTS["pickle kills its process"](place / "models" / "candidate")
    ended = start(place)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1 and "models/candidate" in ended.stderr


def test_no_fault_of_a_model_on_reload_ends_the_one_at_work(place, candidate, photo):
    production = place / "models" / "production"
    with running(place) as service, service.load(photo, clients=1) as answers:
        assert service.get("/ready").status == 200  # the model at work has been loaded
        master, worker = service.process.pid, service.worker
        for number, fault in enumerate(FAULTS, 1):
            shutil.rmtree(production, ignore_errors=True)
            shutil.copytree(candidate, production)
            FAULTS[fault](production)
            os.kill(master, signal.SIGHUP)
            until(lambda n=number: len(service.said(r"Not reloaded: .*models/production")) >= n)
            assert service.get("/ready").status == 200
        time.sleep(0.5)
        assert service.worker == worker
    assert {outcome for _, outcome in answers} == {200}
    log = service.output.read_text()
    assert "Traceback" not in log
    assert log.count("Not reloaded") == len(FAULTS)
