"""Share through a git remote and a DVC remote: what one clone promoted, another one serves."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flowers import model_folder
from scoring.registry.__main__ import main
from tests.scoring.registry.registry_repository import (
    ROOT,
    call,
    empty_commit,
    files,
    own_copy,
    refused,
    status,
    switch,
)

# Of a library that DVC uses.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


def make_store(where):
    """The make target itself, with the environment it would build taken as built."""
    shutil.copy(ROOT / "Makefile", "Makefile")
    ended = subprocess.run(
        ("make", "-o", "env", "store", f"DIR={where}"), capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def repo(tmp_path_factory, finished, tmp_path, monkeypatch):
    """A clone with a bare git remote and a store, both its neighbours."""
    folder = own_copy(tmp_path_factory, finished, tmp_path, monkeypatch)
    call("git", "init", "--quiet", "--bare", "--initial-branch", "nb", "../bare")
    call("git", "remote", "add", "origin", str(tmp_path / "bare"))
    Path(".git/info/exclude").write_text("Makefile\n")
    make_store("../store")
    return folder


def share():
    assert main(["push"]) == 0
    call("git", "push", "--quiet", "--tags", "origin", "nb", "svm")


def clone_elsewhere(tmp_path, name="clone"):
    call("git", "clone", "--quiet", str(tmp_path / "bare"), str(tmp_path / name))
    os.chdir(tmp_path / name)
    Path(".git/info/exclude").write_text("Makefile\n")


def test_after_a_rollback_the_printed_hint_lets_another_clone_serve(repo, tmp_path, capsys):
    switch("svm")
    svm = files("models/candidate")
    assert main(["promote"]) == 0
    switch("nb")
    nb = files("models/candidate")
    assert main(["promote"]) == 0
    capsys.readouterr()
    assert main(["rollback"]) == 0
    hint = capsys.readouterr().out.splitlines()[-1]
    assert "python -m scoring.registry push && git push --tags" in hint
    share()

    clone_elsewhere(tmp_path)
    assert "make store" in refused(capsys, "fetch")
    make_store(tmp_path / "store")
    assert main(["fetch"]) == 0
    assert files("models/production") == svm
    assert model_folder.load("models/production").classes
    # The way forward again is there too.
    assert main(["rollback", "--to", "v1.1.0"]) == 0
    assert main(["fetch"]) == 0
    assert files("models/production") == nb


def test_a_store_that_moved_serves_old_tags(repo, tmp_path, capsys):
    assert main(["promote"]) == 0
    make_store("../moved")
    empty_commit("another commit")
    share()
    clone_elsewhere(tmp_path)
    make_store(tmp_path / "moved")
    assert main(["fetch"]) == 0
    assert main(["fetch"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out
    assert status(capsys)["production"]["on_disk"] == "same"


def test_a_store_is_an_absolute_path_for_this_clone_alone(repo, tmp_path):
    told = call("dvc", "config", "--local", "remote.store.url")
    assert told == str(tmp_path / "repo" / "../store")
    assert call("git", "status", "--porcelain") == ""
    assert "s3://bucket/flowers" in make_store("s3://bucket/flowers")
    nowhere = subprocess.run(("make", "-o", "env", "store"), capture_output=True, text=True)
    assert nowhere.returncode == 2 and "DIR=" in nowhere.stderr


def test_no_remote_is_committed_that_another_revision_would_look_for_elsewhere():
    assert "url" not in (ROOT / ".dvc/config").read_text()


def test_push_refuses_in_one_line_what_it_cannot_send(repo, capsys):
    assert len(refused(capsys, "push").splitlines()) == 1
    assert main(["promote"]) == 0
    call("dvc", "remote", "remove", "--local", "store")
    assert "make store" in refused(capsys, "push")


def test_a_model_lost_here_is_named_and_the_others_are_sent(repo, tmp_path, capsys):
    assert main(["promote"]) == 0
    empty_commit("the same model again")
    call("git", "tag", "--annotate", "--message", "mine", "flowers#canary#2")
    md5 = status(capsys)["production"]["md5"]
    Path(".dvc/cache/files/md5", md5[:2], md5[2:]).unlink()
    reasons = refused(capsys, "push")
    assert reasons.count("is not sent") == 2
    assert call("git", "rev-parse", "--short=7", "HEAD") in reasons


def test_damaged_bytes_are_not_sent(repo, tmp_path, capsys):
    assert main(["promote"]) == 0
    md5 = status(capsys)["production"]["md5"]
    cached = Path(".dvc/cache/files/md5", md5[:2], md5[2:])
    content = bytearray(cached.read_bytes())
    content[len(content) // 2] ^= 1
    cached.chmod(0o644)
    cached.write_bytes(content)
    assert md5 in refused(capsys, "push")
    assert not (tmp_path / "store/files/md5" / md5[:2] / md5[2:]).exists()
