import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scoring.server.service import ROOT, environment, until


@pytest.mark.slow
def test_a_port_given_to_make_reaches_the_scorer(place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["make", "-f", str(ROOT / "Makefile"), "-o", "env", "serve", f"PORT={port}"]
    said = place / "said"
    with said.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=place, env=environment(PATH=path), stdout=out, stderr=out
        )
    try:
        until(lambda: "Listening at" in said.read_text() or process.poll() is not None)
        assert f"http://127.0.0.1:{port} " in said.read_text()
    finally:
        process.terminate()
        process.wait(60)
