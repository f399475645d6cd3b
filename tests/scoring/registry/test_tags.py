"""Tags by hand, odd ones among them: what counts, what does not, and what is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scoring.registry.__main__ import main
from tests.scoring.registry.registry_repository import (
    ROOT,
    call,
    commit,
    empty_commit,
    refused,
    status,
)


def hand_tag(name, at="HEAD", light=False):
    call("git", "tag", *([] if light else ["--annotate", "--message", "mine"]), name, at)


def test_two_versions_of_a_commit_name_the_tag_to_delete(repo, capsys):
    hand_tag("flowers@v1.0.0")
    assert "git tag -d flowers@v1.0.0" in refused(capsys, "promote", "--version", "v2.0.0")
    hand_tag("flowers@v1.1.0")
    for command in ("status", "history", "promote", "fetch", "rollback"):
        (line,) = refused(capsys, command).splitlines()
        assert "git tag -d 'flowers@v1.1.0'" in line
    call("git", "tag", "-d", "flowers@v1.1.0")
    assert main(["promote"]) == 0


def test_tags_that_do_not_count_are_named_with_the_reason(repo, capsys):
    hand_tag("flowers@v1.0.0", light=True)
    hand_tag("flowers#production#1", light=True)
    hand_tag("flowers#canary#one")
    hand_tag("flowers#staging#2")
    hand_tag("other#production#1")
    found = status(capsys)
    assert (found["production"], found["latest"]) == (None, None)
    assert set(found["not_counting"]) == {
        "flowers@v1.0.0",
        "flowers#production#1",
        "flowers#canary#one",
        "flowers#staging#2",
    }
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    remedy = next(line for line in shown.splitlines() if line.startswith("flowers#production#1"))
    assert "lightweight" in remedy
    command = remedy[remedy.index("git tag") : remedy.index(" makes")]
    call("bash", "-c", command.replace("-f", "-f -m mine"))
    assert status(capsys)["production"]["tag"] == "flowers#production#1"


def test_a_tag_of_a_tag_is_of_the_commit_behind_it(repo, capsys):
    hand_tag("flowers@v1.0.0")
    hand_tag("flowers#production#1", at="flowers@v1.0.0")
    assert main(["fetch"]) == 0
    found = status(capsys)["production"]
    assert (found["version"], found["on_disk"]) == ("v1.0.0", "same")
    assert found["commit"] == call("git", "rev-parse", "--short=7", "HEAD")


def test_a_tag_of_no_commit_is_one_line_that_names_it(repo, capsys):
    hand_tag("flowers@v7.0.0", at="HEAD^{tree}")
    (line,) = refused(capsys, "status").splitlines()
    assert "flowers@v7.0.0" in line


def test_a_lock_that_is_no_lock_is_one_line(repo, capsys):
    Path("dvc.lock").write_text("stages: [")
    commit("broken")
    hand_tag("flowers#production#1")
    assert len(refused(capsys, "fetch").splitlines()) == 1
    assert status(capsys)["production"]["md5"] is not None
    assert refused(capsys, "promote")


def test_a_reader_that_has_seen_enough_ends_it_in_silence(repo):
    hand_tag("flowers#production#1")
    command = f"{sys.executable} -m scoring.registry history 2>&1 >&3 3>&- | cat >&2"
    ended = subprocess.run(
        ("bash", "-c", f"set -o pipefail; {{ {command}; }} 3>&1 | true"),
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_clock_behind_the_newest_tag_is_refused_before_a_tag_is_made(
    promoted, capsys, monkeypatch
):
    hand_tag("flowers@v0.1.0", at="HEAD~1")
    empty_commit("another")
    before = call("git", "tag")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00")
    for words in (["promote"], ["rollback", "--to", "v0.1.0"]):
        said = refused(capsys, *words)
        assert "clock" in said and "git tag -d" in said, said
    assert call("git", "tag") == before


def test_a_repository_without_a_commit_or_a_name_says_what_to_do(repo, capsys, monkeypatch):
    for kind in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{kind}_NAME", "")
    assert "git config user.name" in refused(capsys, "promote")
    call("git", "checkout", "--quiet", "--orphan", "new")
    (line,) = refused(capsys, "promote").splitlines()
    assert "no commit" in line and "git add" in line


def test_names_that_are_no_text_cost_nothing_else(promoted, capsys):
    for name in (b"caf\xe9", b"flowers@caf\xe9"):
        subprocess.run((b"git", b"tag", name), check=True)
    found = status(capsys)
    assert found["production"]["tag"] == "flowers#production#1"
    assert set(found["not_counting"]) == {r"flowers@caf\xe9"}
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("1")
    commit("another name that is no text")
    call("git", "config", "core.quotePath", "false")
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("2")
    assert r"not committed: caf\xe9.txt" in refused(capsys, "promote")


def test_a_branch_of_the_same_name_hides_no_tag(repo, capsys):
    hand_tag("flowers@v1.0.0", light=True)
    call("git", "branch", "flowers@v1.0.0")
    assert set(status(capsys)["not_counting"]) == {"flowers@v1.0.0"}


def test_the_number_of_a_tag_is_new_however_git_shows_lists(promoted, capsys):
    call("git", "config", "column.ui", "always")
    call("git", "config", "column.tag", "always,dense")
    for number in range(2, 12):
        hand_tag(f"flowers#staging#{number}")
    empty_commit("another")
    assert main(["promote"]) == 0
    assert status(capsys)["production"]["tag"] == "flowers#production#12"


def raw_tag(name, tagger, kind="commit"):
    """A tag object that git tag would not write."""
    named = call("git", "rev-parse", "HEAD" if kind == "commit" else "HEAD^{tree}")
    text = f"object {named}\ntype {kind}\ntag {name}\n".encode() + tagger + b"\n\nmine\n"
    written = subprocess.run(
        ("git", "hash-object", "-t", "tag", "-w", "--literally", "--stdin"),
        input=text,
        capture_output=True,
        check=True,
    )
    call("git", "update-ref", f"refs/tags/{name}", written.stdout.decode().strip())


@pytest.mark.parametrize(
    "tag",
    [
        ("flowers#production#2", b""),
        ("flowers#production#2", b"tagger T <t@e> 99999999999999 +0000"),
        ("flowers#production#2", b"tagger J\xf6rg <t@e> 1900000000 +0000"),
        ("other@v1.0.0", b"tagger T <t@e> 1700000000 +0000", "tree"),
    ],
)
def test_a_tag_at_which_gto_stumbles_is_one_line(promoted, capsys, tag):
    raw_tag(*tag)
    for command in ("status", "history", "fetch", "promote", "rollback"):
        (line,) = refused(capsys, command).splitlines()
        assert "git for-each-ref" in line


def test_production_is_not_given_back_to_a_commit_without_a_model(promoted, capsys):
    empty = call(
        "git",
        "commit-tree",
        "-m",
        "nothing",
        call("git", "hash-object", "-t", "tree", "-w", "/dev/null"),
    )
    hand_tag("flowers@v0.1.0", at=empty)
    before = call("git", "tag")
    assert "v0.1.0 has no model" in refused(capsys, "rollback", "--to", "v0.1.0")
    assert call("git", "tag") == before
