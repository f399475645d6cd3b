"""Tags that were made by hand: well-formed, ignored and unreadable ones."""

import os
import subprocess
from pathlib import Path

import pytest

from scoring.registry.__main__ import main
from scoring.registry.git import run_git
from tests.scoring.registry.registry_repository import (
    commit_all,
    commit_empty,
    expect_refusal,
    read_status,
    tag_by_hand,
)

pytestmark = pytest.mark.usefixtures("lock_matches")


def test_two_versions_of_a_commit_name_the_tag_to_delete(repo, capsys):
    tag_by_hand("flowers@v1.0.0")
    assert "git tag -d flowers@v1.0.0" in expect_refusal(capsys, "promote", "--version", "v2.0.0")
    tag_by_hand("flowers@v1.1.0")
    for command in ("status", "history", "promote", "fetch", "rollback"):
        (line,) = expect_refusal(capsys, command).splitlines()
        assert "git tag -d 'flowers@v1.1.0'" in line
    run_git("tag", "-d", "flowers@v1.1.0")
    assert main(["promote"]) == 0


def test_ignored_tags_are_named_with_the_reason(repo, capsys):
    run_git("branch", "flowers@v1.0.0")  # it hides no tag
    tag_by_hand("flowers@v1.0.0", annotated=False)
    tag_by_hand("flowers#production#1", annotated=False)
    tag_by_hand("flowers#canary#one")
    tag_by_hand("flowers#staging#2")
    tag_by_hand("other#production#1")
    status = read_status(capsys)
    assert status["production"] is status["latest"] is None
    assert set(status["ignored_tags"]) == {
        "flowers@v1.0.0",
        "flowers#production#1",
        "flowers#canary#one",
        "flowers#staging#2",
    }
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    line = next(line for line in lines if line.startswith("flowers#production#1"))
    assert "lightweight" in line
    command = line[line.index("git tag") :].replace("-f", "-f -m mine")
    subprocess.run(("bash", "-c", command), check=True)
    assert read_status(capsys)["production"]["tag"] == "flowers#production#1"


def test_a_tag_of_a_tag_promotes_its_commit(repo, capsys):
    tag_by_hand("flowers@v1.0.0")
    tag_by_hand("flowers#production#1", at="flowers@v1.0.0")
    assert main(["fetch"]) == 0
    production = read_status(capsys)["production"]
    assert (production["version"], production["on_disk"]) == ("v1.0.0", "same")
    assert production["commit"] == run_git("rev-parse", "--short=7", "HEAD")


def test_a_malformed_lock_is_one_line(repo, capsys):
    Path("dvc.lock").write_text("stages: [")
    commit_all("broken")
    tag_by_hand("flowers#production#1")
    assert len(expect_refusal(capsys, "fetch").splitlines()) == 1
    assert read_status(capsys)["production"]["md5"] is not None
    assert expect_refusal(capsys, "promote")


def test_a_clock_behind_the_newest_tag_is_refused_before_a_tag_is_made(
    promoted, capsys, monkeypatch
):
    tag_by_hand("flowers@v0.1.0", at="HEAD~1")
    commit_empty()
    before = run_git("tag")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00")
    for words in (["promote", "--force"], ["rollback", "--to", "v0.1.0"]):
        message = expect_refusal(capsys, *words)
        assert "clock" in message and "git tag -d" in message
    assert run_git("tag") == before


def test_a_missing_commit_or_identity_is_refused_with_the_remedy(repo, capsys, monkeypatch):
    for kind in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{kind}_NAME", "")
    assert "git config user.name" in expect_refusal(capsys, "promote")
    run_git("checkout", "--quiet", "--orphan", "new")
    (line,) = expect_refusal(capsys, "promote").splitlines()
    assert "no commit" in line and "git add" in line


def test_names_that_are_not_utf_8_do_not_stop_other_commands(promoted, capsys):
    for name in (b"caf\xe9", b"flowers@caf\xe9"):
        subprocess.run((b"git", b"tag", name), check=True)
    status = read_status(capsys)
    assert status["production"]["tag"] == "flowers#production#1"
    assert set(status["ignored_tags"]) == {r"flowers@caf\xe9"}
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("1")
    commit_all("another name")
    run_git("config", "core.quotePath", "false")
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("2")
    assert r"not committed: caf\xe9.txt" in expect_refusal(capsys, "promote")


def test_a_rollback_to_a_commit_without_a_model_is_refused(promoted, capsys):
    tree = run_git("hash-object", "-t", "tree", "-w", "/dev/null")
    empty = run_git("commit-tree", "-m", "nothing", tree)
    tag_by_hand("flowers@v0.1.0", at=empty)
    before = run_git("tag")
    assert "v0.1.0 has no model" in expect_refusal(capsys, "rollback", "--to", "v0.1.0")
    assert run_git("tag") == before


def test_a_malformed_tag_is_one_line_with_the_remedy(promoted, capsys):
    valid = b"tagger T <t@e> 1900000000 +0000"
    for name, kind, tagger, remedy in (
        ("flowers@v7.0.0", "tree", valid, "git tag -d 'flowers@v7.0.0'"),
        ("other@v1.0.0", "tree", valid, "git for-each-ref"),
        ("flowers#production#2", "commit", b"", "git for-each-ref"),
        ("flowers#production#2", "commit", b"tagger T <t@e> 99999999999999 +0000", "git for-each"),
        ("flowers#production#2", "commit", valid.replace(b"T <", b"\xf6 <"), "git for-each-ref"),
    ):
        # git tag itself would refuse these.
        target = run_git("rev-parse", f"HEAD^{{{kind}}}")
        text = f"object {target}\ntype {kind}\ntag {name}\n".encode() + tagger + b"\n\nmine\n"
        command = ("git", "hash-object", "-t", "tag", "-w", "--literally", "--stdin")
        process = subprocess.run(command, input=text, capture_output=True, check=True)
        run_git("update-ref", f"refs/tags/{name}", process.stdout.decode().strip())
        for subcommand in ("status", "history", "fetch", "promote", "rollback"):
            (line,) = expect_refusal(capsys, subcommand).splitlines()
            assert remedy in line
        run_git("update-ref", "-d", f"refs/tags/{name}")
