"""Storage of results: shared through a remote, and only once on this disk."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from tests.imports import ROOT
from tests.repo_copy import RepoCopy


def add_store(repo_copy, folder):
    shutil.copy(ROOT / "Makefile", repo_copy.path)
    (repo_copy.path / ".git/info/exclude").write_text("Makefile\n")
    repo_copy.run("make", "-o", "env", "store", f"DIR={folder}")


@pytest.mark.slow
def test_an_experiment_can_be_pulled_into_another_clone(finished_run, tmp_path):
    store, bare = tmp_path / "store", tmp_path / "bare"
    here = finished_run.copy_to(tmp_path / "here")
    here.run("git", "init", "--quiet", "--bare", str(bare))
    here.run("git", "remote", "add", "origin", str(bare))
    here.run("git", "push", "--quiet", "origin", "HEAD")
    add_store(here, store)
    here.run(
        "dvc", "exp", "run", "--temp", "--name", "smooth", "-S", "train_nb.var_smoothing=0.001"
    )
    here.run("dvc", "exp", "push", "origin", "smooth")
    # The other revisions go to this folder, too.
    here.run("dvc", "push", "--all-commits")
    assert (store / "files/md5").is_dir()
    assert not Path("/store").exists() and not Path("/flower-store").exists()

    here.run("git", "clone", "--quiet", str(bare), str(tmp_path / "there"))
    there = RepoCopy(tmp_path / "there")
    add_store(there, store)
    there.run("dvc", "exp", "pull", "origin", "smooth")
    there.run("dvc", "exp", "apply", "smooth")
    there.run("dvc", "checkout")
    model = there.path / "models/nb.joblib"
    assert model.read_bytes() != (here.path / "models/nb.joblib").read_bytes()
    assert "0.001" in (there.path / "params.yaml").read_text()
    there.run("dvc", "status", "train_nb")


def has_reflinks(folder):
    """Whether the file system shares the blocks of copies, which then differ in inode."""
    (folder / "one").write_bytes(b"1")
    copy = ["cp", "--reflink=always", folder / "one", folder / "two"]
    return subprocess.run(copy, capture_output=True).returncode == 0


def test_no_array_is_stored_twice(tmp_path):
    if has_reflinks(tmp_path):
        pytest.skip("copies are reflinks, which take no space")
    repo_copy = RepoCopy(tmp_path)
    repo_copy.run("git", "init", "--quiet")
    Repo.init(tmp_path).close()
    shutil.copy(ROOT / ".dvc/config", tmp_path / ".dvc/config")
    (tmp_path / "dvc.yaml").write_text(
        "stages: {make: {cmd: head -c 1000000 /dev/zero > big.npy, outs: [big.npy]}}"
    )
    for command, options in (("reproduce", {}), ("checkout", {"relink": True})):
        repo_copy.run_dvc(command, **options)
        lock = yaml.safe_load((tmp_path / "dvc.lock").read_text())
        digest = lock["stages"]["make"]["outs"][0]["md5"]
        kept = tmp_path / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
        assert (tmp_path / "big.npy").samefile(kept), command
