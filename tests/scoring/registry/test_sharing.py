"""Share through a git remote and a DVC remote: what one clone promoted, another one serves."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from flowers.model import folder as model_folder
from scoring.registry.__main__ import main
from tests.scoring.registry.registry_repository import (
    ROOT,
    call,
    empty_commit,
    files,
    refused,
    status,
    switch,
)


def make_store(where):
    """The make target itself, with the environment it would build taken as built."""
    shutil.copy(ROOT / "Makefile", "Makefile")
    ended = subprocess.run(
        ("make", "-o", "env", "store", f"DIR={where}"), capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def use_store(where):
    """What make_store does, without the seconds that two processes take to start."""
    with Repo(".") as repo, repo.config.edit("local") as config:
        config["remote"]["store"] = {"url": str(Path.cwd() / where)}
        config["core"]["remote"] = "store"


def give_neighbours(tmp_path):
    """Give the working folder a bare git remote and a store, beside it."""
    branch = call("git", "branch", "--show-current")
    call("git", "init", "--quiet", "--bare", "--initial-branch", branch, "../bare")
    call("git", "remote", "add", "origin", str(tmp_path / "bare"))
    Path(".git/info/exclude").write_text("Makefile\n")
    use_store("../store")


@pytest.fixture
def clone(promoted, tmp_path):
    """A clone with a model in production, a git remote and a store."""
    give_neighbours(tmp_path)
    return promoted


def share():
    assert main(["push"]) == 0
    call("git", "push", "--quiet", "--tags", "origin", "HEAD")


def clone_elsewhere(tmp_path, name="clone"):
    call("git", "clone", "--quiet", str(tmp_path / "bare"), str(tmp_path / name))
    os.chdir(tmp_path / name)
    Path(".git/info/exclude").write_text("Makefile\n")


@pytest.mark.slow
def test_after_a_rollback_the_printed_hint_lets_another_clone_serve(both, tmp_path, capsys):
    give_neighbours(tmp_path)
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
    assert model_folder.load_predictor("models/production").classes
    # The way forward again is there too.
    assert main(["rollback", "--to", "v1.1.0"]) == 0
    assert main(["fetch"]) == 0
    assert files("models/production") == nb


def test_a_store_that_moved_serves_old_tags(clone, tmp_path, capsys):
    use_store("../moved")
    empty_commit("another commit")
    share()
    clone_elsewhere(tmp_path)
    use_store(tmp_path / "moved")
    assert main(["fetch"]) == 0
    assert main(["fetch"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out
    assert status(capsys)["production"]["on_disk"] == "same"


def test_a_store_is_an_absolute_path_for_this_clone_alone(clone, tmp_path):
    written = Path(".dvc/config.local").read_text()
    Path(".dvc/config.local").unlink()
    make_store("../store")
    assert Path(".dvc/config.local").read_text() == written
    assert str(tmp_path / "repo" / "../store") in written
    assert call("git", "status", "--porcelain") == ""
    assert "s3://bucket/flowers" in make_store("s3://bucket/flowers")
    nowhere = subprocess.run(("make", "-o", "env", "store"), capture_output=True, text=True)
    assert nowhere.returncode == 2 and "DIR=" in nowhere.stderr


def test_no_remote_is_committed_that_another_revision_would_look_for_elsewhere():
    assert "url" not in (ROOT / ".dvc/config").read_text()


def test_push_refuses_in_one_line_what_it_cannot_send(clone, capsys):
    Path(".dvc/config.local").unlink()
    assert "make store" in refused(capsys, "push")
    use_store("../store")
    call("git", "tag", "--delete", *call("git", "tag").splitlines())
    assert len(refused(capsys, "push").splitlines()) == 1


def test_a_model_lost_here_is_named_and_the_others_are_sent(clone, tmp_path, capsys):
    empty_commit("the same model again")
    call("git", "tag", "--annotate", "--message", "mine", "flowers#canary#2")
    md5 = status(capsys)["production"]["md5"]
    Path(".dvc/cache/files/md5", md5[:2], md5[2:]).unlink()
    reasons = refused(capsys, "push")
    assert reasons.count("is not sent") == 2
    assert call("git", "rev-parse", "--short=7", "HEAD") in reasons


def test_damaged_bytes_are_not_sent(clone, tmp_path, capsys):
    md5 = status(capsys)["production"]["md5"]
    cached = Path(".dvc/cache/files/md5", md5[:2], md5[2:])
    content = bytearray(cached.read_bytes())
    content[len(content) // 2] ^= 1
    cached.chmod(0o644)
    cached.write_bytes(content)
    assert md5 in refused(capsys, "push")
    assert not (tmp_path / "store/files/md5" / md5[:2] / md5[2:]).exists()
