"""Sharing through a git remote and a DVC remote: one clone promotes, another one serves."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from flowers.model import folder as model_folder
from scoring.registry.__main__ import main
from scoring.registry.git import run_git
from tests.scoring.registry.registry_repository import (
    ROOT,
    commit_empty,
    damage_cache,
    expect_refusal,
    read_files,
    read_status,
    switch_branch,
    tag_by_hand,
)

pytestmark = pytest.mark.usefixtures("lock_matches")


def make_store(*arguments):
    """Run the make target without building the environment."""
    shutil.copy(ROOT / "Makefile", "Makefile")
    command = ("make", "-o", "env", "store", *arguments)
    return subprocess.run(command, capture_output=True, text=True)


def use_store(place):
    """Configure a remote as `make_store` does, without the seconds that its processes take."""
    with Repo(".") as repo, repo.config.edit("local") as config:
        config["remote"]["store"] = {"url": str(Path.cwd() / place)}
        config["core"]["remote"] = "store"


def add_remotes(tmp_path):
    """Give the working folder a bare git remote and a DVC remote beside it."""
    branch = run_git("branch", "--show-current")
    run_git("init", "--quiet", "--bare", "--initial-branch", branch, "../bare")
    run_git("remote", "add", "origin", str(tmp_path / "bare"))
    Path(".git/info/exclude").write_text("Makefile\n")
    use_store("../store")


@pytest.fixture
def clone(promoted, tmp_path):
    """A clone with a model in production, a git remote and a DVC remote."""
    add_remotes(tmp_path)
    return promoted


def push_and_enter_clone(tmp_path):
    assert main(["push"]) == 0
    run_git("push", "--quiet", "origin", "HEAD")
    run_git("clone", "--quiet", str(tmp_path / "bare"), str(tmp_path / "clone"))
    os.chdir(tmp_path / "clone")


@pytest.mark.slow
def test_after_a_rollback_the_printed_commands_let_another_clone_serve(both, tmp_path, capsys):
    add_remotes(tmp_path)
    switch_branch("svm")
    svm = read_files("models/candidate")
    assert main(["promote"]) == 0
    switch_branch("nb")
    nb = read_files("models/candidate")
    assert main(["promote"]) == 0
    capsys.readouterr()
    assert main(["rollback"]) == 0
    hint = capsys.readouterr().out.splitlines()[-1]
    assert "python -m scoring.registry push" in hint
    push_and_enter_clone(tmp_path)
    assert "make store" in expect_refusal(capsys, "fetch")
    assert make_store(f"DIR={tmp_path}/store").returncode == 0
    assert main(["fetch"]) == 0
    assert read_files("models/production") == svm
    assert model_folder.load_predictor("models/production").classes
    # The version that production was rolled back from is in the remote as well.
    assert main(["rollback", "--to", "v1.1.0"]) == 0
    assert main(["fetch"]) == 0
    assert read_files("models/production") == nb


@pytest.mark.slow
def test_a_store_that_moved_serves_old_tags(clone, tmp_path, capsys):
    use_store("../moved")
    commit_empty()
    push_and_enter_clone(tmp_path)
    use_store(tmp_path / "moved")
    assert main(["fetch"]) == 0
    assert main(["fetch"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out
    assert read_status(capsys)["production"]["on_disk"] == "same"


def test_a_store_is_an_absolute_path_for_this_clone_alone(clone, tmp_path, capsys):
    config = Path(".dvc/config.local").read_text()
    Path(".dvc/config.local").unlink()
    assert "make store" in expect_refusal(capsys, "push")
    assert make_store("DIR=../store").returncode == 0
    assert Path(".dvc/config.local").read_text() == config
    assert str(tmp_path / "repo" / "../store") in config
    assert run_git("status", "--porcelain") == ""
    assert "s3://bucket/flowers" in make_store("DIR=s3://bucket/flowers").stdout
    process = make_store()
    assert process.returncode == 2 and "DIR=" in process.stderr
    # DVC would resolve a committed relative remote differently for another revision.
    assert "url" not in (ROOT / ".dvc/config").read_text()


def test_a_damaged_or_lost_model_is_not_pushed(clone, tmp_path, capsys):
    commit_empty()
    tag_by_hand("flowers#canary#2")
    md5 = read_status(capsys)["production"]["md5"]
    damage_cache(md5)
    assert md5 in expect_refusal(capsys, "push")
    assert not (tmp_path / "store/files/md5" / md5[:2] / md5[2:]).exists()
    Path(".dvc/cache/files/md5", md5[:2], md5[2:]).unlink()
    message = expect_refusal(capsys, "push")
    assert message.count("is not pushed") == 2
    assert run_git("rev-parse", "--short=7", "HEAD") in message
    run_git("tag", "--delete", *run_git("tag").splitlines())
    assert len(expect_refusal(capsys, "push").splitlines()) == 1
