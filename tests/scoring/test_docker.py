"""The Dockerfile, .dockerignore and the locks, checked without building the image."""

import ast
import http.server
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.imports import PACKAGES, ROOT, list_files
from tests.scoring.server.service import run_server

PIN = re.compile(r"^([\w.-]+)==(\S+)((?: +--hash=sha256:[0-9a-f]{64})*)$", re.M)


def list_instructions(word):
    """Arguments of every instruction of the Dockerfile with this word."""
    text = (ROOT / "docker/Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{word}\s+(.*)", text, re.M)


def read_pins(name):
    """Version and hashes by distribution of a lock file."""
    text = re.sub(r" *\\\n +", " ", (ROOT / name).read_text())
    return {m[1].lower(): (m[2], m[3].split()) for m in re.finditer(PIN, text)}


def is_sent(path):
    """Whether a file is in the build context: the last matching rule of .dockerignore decides."""
    included = True
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = Path(rule.removeprefix("!"))
        places = [path, *path.parents]
        if pattern.parts[:1] != ("**",):
            places = [place for place in places if len(place.parts) == len(pattern.parts)]
        if not rule.startswith("#") and any(place.match(str(pattern)) for place in places):
            included = rule.startswith("!")
    return included


@pytest.mark.slow
def test_the_copied_files_are_enough_to_predict(candidate, photo, tmp_path):
    app = tmp_path / "app"
    folders = [line.split()[0] for line in list_instructions("COPY") if re.match(r"\w+/ ", line)]
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT)
            if path.is_file() and is_sent(name):
                (app / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, app / name)
    shutil.copytree(candidate, app / "models" / "production")
    with run_server(app, PYTHONPATH=str(app)) as service:
        assert service.predict(("a.jpg", photo)).status == 200
        assert service.get("/docs").status == service.get("/").status == 200


def test_the_build_context_has_the_model_and_no_other_file_of_a_run():
    assert is_sent(Path("models/production/model.joblib"))
    for path in ("models/svm.joblib", "data/images.npy", "logs/day.jsonl", ".git/config"):
        assert not is_sent(Path(path)), path


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.answers.get(self.path, 404))
        self.end_headers()

    def log_message(self, *words):
        pass


def check_health(port):
    (line,) = list_instructions("HEALTHCHECK")
    python, *rest = json.loads(line.split(" CMD ")[1])
    assert python == "python"
    return subprocess.run([sys.executable, *rest], env={"PORT": str(port)}, capture_output=True)


def test_the_health_check_follows_the_response_of_the_scorer():
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            for status in (200, 503):
                server.answers = {"/health": status}
                ended = check_health(server.server_port)
                assert (ended.returncode == 0) is (status == 200), ended.stderr
        finally:
            server.shutdown()
    assert check_health(server.server_port).returncode != 0


def test_the_lock_has_the_tested_versions_each_with_hashes():
    served = read_pins("requirements-serve.lock")
    tested = read_pins("requirements.lock")
    listed = re.findall(
        r"^[\w.-]+(?=[=<>~@ ])", (ROOT / "requirements-serve.lock").read_text(), re.M
    )
    assert sorted(served) == sorted(name.lower() for name in listed)
    for name, (version, hashes) in served.items():
        assert hashes and version == tested[name][0], name


def list_third_party(path):
    """Yield imports of a file that are neither of Python nor of this project."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        yield from {name.split(".")[0] for name in names} - sys.stdlib_module_names - set(PACKAGES)


def test_the_lock_has_the_imports_of_the_server_without_dvc_and_plots():
    served = read_pins("requirements-serve.lock")
    providers = importlib.metadata.packages_distributions()
    for path in list_files("scoring.server"):
        for module in list_third_party(path):
            names = {name.lower().replace("_", "-") for name in providers[module]}
            assert names & served.keys(), (path, module)
    assert not served.keys() & {"dvc", "gto", "matplotlib", "pytest"}


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="no nginx")
def test_the_nginx_configuration_of_the_documentation_is_valid(tmp_path):
    page = (ROOT / "docs/serving.md").read_text()
    text = re.search(r"```nginx\n(.*?)```", page, re.DOTALL)[1]
    key = tmp_path / "key.pem"
    certificate = tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    text = re.sub(r"(ssl_certificate) \S+;", rf"\1 {certificate};", text)
    text = re.sub(r"(ssl_certificate_key) \S+;", rf"\1 {key};", text)
    path = tmp_path / "nginx.conf"
    path.write_text(f"pid {tmp_path}/pid; events {{}} http {{ {text} }}")
    checked = subprocess.run(["nginx", "-t", "-c", path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
