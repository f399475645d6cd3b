"""Git remotes: missing tags, remotes that cannot be reached, and pushes that conflict."""

import os
import socket
import time
from pathlib import Path

import pytest

from scoring.registry import remotes
from scoring.registry.__main__ import main
from scoring.registry.git import run_git
from tests.scoring.registry.registry_repository import (
    commit_empty,
    expect_refusal,
    read_status,
    tag_by_hand,
)

pytestmark = pytest.mark.usefixtures("lock_matches")
CHANGING = ("promote", "canary", "canary --clear", "rollback", "fetch")


@pytest.fixture
def bare(promoted, tmp_path):
    """A bare remote of the working folder that has its tags and a later commit."""
    commit_empty()
    run_git("init", "--quiet", "--bare", str(tmp_path / "bare"))
    run_git("-C", str(tmp_path / "bare"), "config", "uploadpack.allowFilter", "true")
    run_git("remote", "add", "origin", str(tmp_path / "bare"))
    run_git("push", "--quiet", "--tags", "origin", "run")
    return (tmp_path / "bare").as_uri()


def enter_clone(bare, tmp_path, *options, name="clone"):
    run_git("clone", "--quiet", "--branch", "run", *options, bare, str(tmp_path / name))
    os.chdir(tmp_path / name)
    run_git("config", "user.name", "Second")
    run_git("config", "user.email", "second@example.org")


@pytest.mark.parametrize(
    "options, remedy",
    [
        pytest.param(["--depth", "1"], "git fetch --unshallow --tags", marks=pytest.mark.slow),
        pytest.param(["--no-tags"], "git fetch --tags origin", marks=pytest.mark.slow),
        (["--depth", "1", "--no-tags"], "git fetch --unshallow --tags"),
    ],
)
def test_a_clone_without_all_tags_changes_no_stage(bare, tmp_path, capsys, options, remedy):
    enter_clone(bare, tmp_path, *options)
    before = run_git("for-each-ref")
    for command in CHANGING:
        (line,) = expect_refusal(capsys, *command.split()).splitlines()
        assert remedy in line
    assert run_git("for-each-ref") == before
    (warning,) = read_status(capsys)["warnings"]
    assert remedy in warning
    run_git(*remedy.split()[1:])
    status = read_status(capsys)
    assert status["warnings"] == []
    assert status["production"]["version"] == "v1.0.0"


def test_a_tag_that_was_deleted_here_is_named_with_both_remedies(bare, capsys):
    run_git("tag", "--delete", "flowers#production#1")
    message = expect_refusal(capsys, "promote")
    assert "git fetch --tags origin" in message
    assert "git push --delete origin 'flowers#production#1'" in message


def test_a_tag_of_the_same_name_that_differs_is_refused(bare, capsys):
    run_git("tag", "--delete", "flowers#production#1")
    tag_by_hand("flowers#production#1")
    message = expect_refusal(capsys, "rollback")
    assert "git tag -d 'flowers#production#1' && git fetch --tags origin" in message


def test_every_remote_is_compared_except_those_that_git_fetch_all_skips(promoted, bare, capsys):
    run_git("init", "--quiet", "../empty")
    run_git("remote", "set-url", "origin", "../empty")
    run_git("remote", "add", "backup", bare)
    run_git("tag", "--delete", "flowers@v1.0.0")
    assert "git fetch --tags backup" in expect_refusal(capsys, "rollback")
    run_git("config", "remote.backup.skipFetchAll", "true")
    assert read_status(capsys)["warnings"] == []


def test_remotes_that_cannot_be_reached_are_one_warning(promoted, capsys):
    run_git("remote", "add", "origin", "https://127.0.0.1:1/x.git")
    run_git("remote", "add", "gone", "/no/such/folder")
    assert main(["fetch"]) == 0
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith("fetch: warning: git remote gone (") and "origin (" in line
    assert "nothing to fetch" in output.out
    assert len(read_status(capsys)["warnings"]) == 1


def test_a_remote_that_never_answers_is_given_up(promoted, capsys, monkeypatch):
    monkeypatch.setattr(remotes, "TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        run_git("remote", "add", "origin", f"http://127.0.0.1:{server.getsockname()[1]}/x.git")
        started = time.monotonic()
        (warning,) = read_status(capsys)["warnings"]
    assert "no answer in 1 s" in warning
    assert time.monotonic() - started < 8


def test_no_git_command_waits_for_a_password(promoted, capsys, monkeypatch):
    """A transport helper that asks like ssh: it must find neither a terminal nor an askpass."""
    helper = Path("bin/git-remote-asking")
    helper.parent.mkdir()
    helper.write_text(
        "#!/bin/sh\n"
        '[ "$GIT_TERMINAL_PROMPT$GIT_ASKPASS$SSH_ASKPASS_REQUIRE" = 0never ] || sleep 60\n'
        "if (exec </dev/tty) 2>/dev/null; then sleep 60; fi\n"
        "echo 'fatal: no terminal' >&2; exit 1\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent.absolute()}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GIT_ASKPASS", "sleep 60 #")
    run_git("remote", "add", "origin", "asking::x")
    (warning,) = read_status(capsys)["warnings"]
    assert "no terminal" in warning


@pytest.mark.slow
def test_a_model_is_fetched_into_a_partial_clone(bare, tmp_path, promoted, capsys):
    enter_clone(bare, tmp_path, "--filter=blob:none")
    cache = promoted / ".dvc/cache"
    Path(".dvc/config.local").write_text(f"[cache]\n    dir = {cache}\n")
    assert main(["fetch"]) == 0
    assert read_status(capsys)["production"]["on_disk"] == "same"


def test_a_push_needs_a_git_remote_and_names_the_choices(promoted):
    with pytest.raises(remotes.BadInput, match="git remote add"):
        remotes.choose_remote()
    run_git("remote", "add", "mine", "/no/such/folder")
    assert remotes.choose_remote() == "mine"
    run_git("remote", "add", "other", "/no/such/folder")
    with pytest.raises(remotes.BadInput, match="--remote with one of mine, other"):
        remotes.choose_remote()
    assert remotes.choose_remote("other") == "other"


def test_the_second_of_two_pushes_is_refused_whole_and_names_the_first(bare, tmp_path, capsys):
    enter_clone(bare, tmp_path)
    commit_empty()
    tag_by_hand("flowers@v1.1.0")
    tag_by_hand("flowers#production#2")
    run_git(
        "push", "--quiet", "origin", "refs/tags/flowers@v1.1.0", "refs/tags/flowers#production#2"
    )
    os.chdir(tmp_path / "repo")
    commit_empty()
    tag_by_hand("flowers@v1.1.0")
    tag_by_hand("flowers#canary#2")
    before = run_git("ls-remote", "origin")
    with pytest.raises(remotes.BadInput) as refused:
        remotes.push_tags("origin")
    lines = str(refused.value).splitlines()
    assert "origin has flowers#production#2 for commit " in lines[0]
    assert "made by Second <second@example.org> on 20" in lines[0]
    assert "flowers@v1.1.0" in lines[1] and "; here it is commit" in lines[1]
    assert run_git("ls-remote", "origin") == before
    # The printed commands are the way on.
    command = lines[-1].partition("with ")[2].partition(", then")[0]
    assert command == "git tag -d 'flowers#canary#2' flowers@v1.1.0 && git fetch --tags origin"
    run_git("tag", "-d", "flowers#canary#2", "flowers@v1.1.0")
    run_git("fetch", "--quiet", "--tags", "origin")
    assert remotes.push_tags("origin") == "git remote origin has every tag already"
    assert read_status(capsys)["production"]["version"] == "v1.1.0"


def test_a_push_that_the_server_refuses_for_one_tag_sends_none(bare, tmp_path):
    hook = tmp_path / "bare/hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in *canary*) echo protected >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    tag_by_hand("flowers@v1.1.0")
    tag_by_hand("flowers#canary#2")
    before = run_git("ls-remote", "origin")
    with pytest.raises(remotes.BadInput, match=r"! \[remote rejected\]"):
        remotes.push_tags("origin")
    assert run_git("ls-remote", "origin") == before
