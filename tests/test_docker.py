"""What can be seen of the image without an engine that builds it."""

import ast
import http.server
import importlib.metadata
import json
import re
import subprocess
import sys
import threading
from fnmatch import fnmatch

import pytest

from scoring.server.settings import Settings
from tests.imports import PACKAGES, ROOT, file_of, files_behind

PIN = re.compile(r"^([\w.-]+)==(\S+)((?: +--hash=sha256:[0-9a-f]{64})*)$", re.M)


def joined(name):
    """The text of a file without comments, continued lines joined."""
    lines = (ROOT / name).read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#")).replace(
        "\\\n", " "
    )


def stages():
    """The instructions of each stage by its name, those of the stages before included."""
    found, name = {}, None
    for line in joined("docker/Dockerfile").splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found[name] = list(found.get(base, [("FROM", base)]))
        elif word:
            found[name].append((word, rest.strip()))
    return found


STAGES = stages()
SERVED = list(STAGES.values())[-1]  # what is built when no stage is named


def only(word, stage=SERVED):
    """What follows a word that a stage says; the last time counts."""
    return [rest for name, rest in stage if name == word][-1]


def variables(stage=SERVED):
    text = " ".join(rest for word, rest in stage if word == "ENV")
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|\S+)', text)}


def pins(name):
    """Version and hashes by distribution of a lock file."""
    text = re.sub(r" *\\\n +", " ", (ROOT / name).read_text())
    return {m[1].lower(): (m[2], m[3].split()) for m in re.finditer(PIN, text)}


def test_every_base_is_one_named_python_on_one_named_debian():
    bases = {only("FROM", stage) for stage in STAGES.values()}
    (base,) = bases
    assert re.fullmatch(r"python:3\.\d+(\.\d+)?-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)


@pytest.mark.parametrize("name", [name for name in STAGES if name != "libraries"])
def test_it_runs_as_a_user_that_is_not_root_and_has_a_number(name):
    user, _, group = only("USER", STAGES[name]).partition(":")
    assert int(user) > 0 and int(group) > 0


def test_its_command_starts_the_server_without_a_shell():
    python, option, module = json.loads(only("CMD"))
    assert (python, option) == ("python", "-m")
    assert file_of(module)
    assert not [rest for word, rest in SERVED if word == "ENTRYPOINT"]


def test_it_listens_to_all_on_the_port_that_it_exposes():
    assert variables()["HOST"] == "0.0.0.0"
    assert variables()["PORT"] == only("EXPOSE") == str(Settings.port)


def copied(stage):
    for word, rest in stage:
        if word in ("COPY", "ADD") and "--from=" not in rest:
            assert word == "COPY"
            yield from rest.split()[:-1]


def test_everything_copied_exists_and_is_sent_to_the_engine():
    sources = {source for stage in STAGES.values() for source in copied(stage)}
    name, default = only("ARG", STAGES["with-model"]).split("=")
    ignored, *rules = joined(".dockerignore").split()
    assert ignored == "*"
    sent = {rule[1:] for rule in rules if rule.startswith("!")}
    for source in sources:
        source = source.replace(f"${{{name}}}", default)
        top = source.strip("/").split("/")[0]
        assert top in sent and (ROOT / top).exists(), source
        assert not any(fnmatch(source, rule) for rule in rules), source
    assert sent == {source.split("/")[0] for source in sources if "$" not in source} | {"models"}


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.answers.get(self.path, 404))
        self.end_headers()

    def log_message(self, *words):
        pass


def healthy(port):
    word, command = only("HEALTHCHECK").split(" CMD ")
    python, *rest = json.loads(command)
    assert python == "python"
    return subprocess.run([sys.executable, *rest], env={"PORT": str(port)}, capture_output=True)


def test_it_is_healthy_exactly_while_the_scorer_says_so():
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            for status in (200, 503):
                server.answers = {"/health": status}
                ended = healthy(server.server_port)
                assert (ended.returncode == 0) is (status == 200), ended.stderr
        finally:
            server.shutdown()
    assert healthy(server.server_port).returncode != 0


def test_its_lock_has_the_tested_versions_each_with_hashes():
    served, tested = pins("requirements-serve.lock"), pins("requirements.lock")
    listed = re.findall(
        r"^[\w.-]+(?=[=<>~@ ])", (ROOT / "requirements-serve.lock").read_text(), re.M
    )
    assert sorted(served) == sorted(name.lower() for name in listed)
    for name, (version, hashes) in served.items():
        assert hashes and version == tested[name][0], name
    assert "--require-hashes" in " ".join(rest for _, rest in STAGES["libraries"])


def third_party(path):
    """What a file imports that is neither Python's nor of this project."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        yield from {name.split(".")[0] for name in names} - sys.stdlib_module_names - set(PACKAGES)


def test_its_lock_has_all_that_the_server_imports_and_neither_dvc_nor_plots():
    served, providers = pins("requirements-serve.lock"), importlib.metadata.packages_distributions()
    for path in files_behind("scoring.server"):
        for module in third_party(path):
            names = {name.lower().replace("_", "-") for name in providers[module]}
            assert names & served.keys(), (path, module)
    assert not served.keys() & {"dvc", "gto", "matplotlib", "pytest"}
