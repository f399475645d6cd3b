"""Promote, go back, fetch and look."""

import json
import os
import subprocess
import sys
from pathlib import Path

import gto.api
import pytest

from scoring.registry.__main__ import main
from tests.scoring.registry.registry_repository import (
    ALL_CHECKS,
    ROOT,
    call,
    empty_commit,
    files,
    refused,
    status,
    switch,
)


@pytest.mark.slow
def test_promotions_and_a_rollback_each_fetch_the_tagged_bits(both, capsys):
    switch("svm")
    svm = files("models/candidate")
    assert main(["promote"]) == 0
    assert main(["fetch"]) == 0
    assert files("models/production") == svm

    switch("nb")
    nb = files("models/candidate")
    assert nb["model.joblib"] != svm["model.joblib"]
    assert main(["promote", "--bump", "patch"]) == 0
    assert status(capsys)["production"]["on_disk"] == "v1.0.0"
    assert main(["fetch"]) == 0
    assert files("models/production") == nb
    assert status(capsys)["production"]["on_disk"] == "same"

    assert main(["rollback"]) == 0
    assert main(["fetch"]) == 0
    assert files("models/production") == svm
    origin = json.loads(Path("models/production/provenance.json").read_text())
    assert origin["version"] == "v1.0.0"
    assert origin["tag"] == "flowers#production#3"
    assert origin["commit"] == call("git", "rev-parse", "svm")
    assert origin["md5"] == json.loads(svm["card.json"])["model"]["md5"]
    assert status(capsys)["production"]["checks_skipped"] == []
    assert "--to" in refused(capsys, "rollback")

    assert main(["rollback", "--to", "v1.0.1"]) == 0
    capsys.readouterr()
    assert main(["history"]) == 0
    versions = [line.split()[4] for line in capsys.readouterr().out.splitlines()]
    assert versions == ["v1.0.1", "v1.0.0", "v1.0.1", "v1.0.0"]
    assert "v9.9.9" in refused(capsys, "rollback", "--to", "v9.9.9")


def test_gto_sees_the_same_promotions(promoted):
    shown = gto.api.show(".", "flowers")
    assert [(v["version"], [s["stage"] for s in v["stages"]]) for v in shown] == [
        ("v1.0.0", ["production"])
    ]


def test_a_cache_with_other_bytes_is_refused_and_production_stays(promoted, capsys):
    before = files("models/production")
    empty_commit("the same model again")
    call("git", "tag", "--annotate", "--message", "mine", "flowers#production#2")
    md5 = status(capsys)["production"]["md5"]
    cached = Path(".dvc/cache/files/md5", md5[:2], md5[2:])
    content = bytearray(cached.read_bytes())
    content[len(content) // 2] ^= 1
    cached.chmod(0o644)
    cached.write_bytes(content)
    assert md5 in refused(capsys, "fetch")
    assert files("models/production") == before
    assert not list(Path("models").glob(".fetch-*"))


def test_an_altered_production_folder_is_seen_and_fetched_anew(promoted, capsys):
    right = files("models/production")
    path = Path("models/production/model.joblib")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    assert status(capsys)["production"]["on_disk"] == "altered"
    assert main(["fetch"]) == 0
    assert files("models/production") == right


def test_a_tag_by_hand_promotes_and_status_names_the_skipped_checks(repo, capsys):
    call("git", "tag", "--annotate", "--message", "version", "flowers@v1.0.0")
    call("git", "tag", "--annotate", "--message", "mine", "flowers#production#1")
    assert main(["fetch"]) == 0
    found = status(capsys)
    assert found["production"]["version"] == "v1.0.0"
    assert found["production"]["checks_skipped"] == ALL_CHECKS
    assert found["production"]["on_disk"] == "same"
    assert found["candidate"]["version"] == "v1.0.0"
    assert main(["status"]) == 0
    assert "skipped: clean-tree lock gate bytes comparison" in capsys.readouterr().out
    # The checks can be made up for.
    assert main(["promote"]) == 0
    assert status(capsys)["production"]["checks_skipped"] == []
    assert "already" in refused(capsys, "promote")


def test_a_canary_ends_and_goes_on_to_production_under_its_version(repo, capsys):
    assert main(["canary"]) == 0
    assert main(["fetch", "--stage", "canary"]) == 0
    assert files("models/canary") == files("models/candidate")
    assert main(["canary", "--clear"]) == 0
    assert "flowers#canary!#2" in call("git", "tag")
    assert status(capsys)["canary"] is None
    assert "canary" in refused(capsys, "fetch", "--stage", "canary")
    assert refused(capsys, "canary", "--clear")
    assert main(["promote"]) == 0
    found = status(capsys)["production"]
    assert (found["version"], found["tag"]) == ("v1.0.0", "flowers#production#3")


def test_a_version_names_one_commit(promoted, capsys):
    empty_commit("the same model again")
    assert "v1.0.0" in refused(capsys, "promote", "--version", "v1.0.0")
    assert main(["promote", "--bump", "major"]) == 0
    assert status(capsys)["latest"]["version"] == "v2.0.0"
    assert "v2.0.0" in refused(capsys, "promote", "--bump", "minor")


def test_going_back_twice_goes_further_back(repo, capsys):
    for number in (1, 2, 3):
        empty_commit(f"run {number}")
        call("git", "tag", "--annotate", "--message", "v", f"flowers@v1.{number}.0")
        call("git", "tag", "--annotate", "--message", "p", f"flowers#production#{number}")
    for version in ("v1.2.0", "v1.1.0"):
        assert main(["rollback"]) == 0
        assert status(capsys)["production"]["version"] == version
    refused(capsys, "rollback")


def test_without_a_tag_there_is_nothing_to_fetch(repo, capsys):
    assert "no version is in production" in refused(capsys, "fetch")
    found = status(capsys)
    assert (found["production"], found["canary"], found["latest"]) == (None, None, None)
    assert found["candidate"]["version"] is None


def test_user_errors_are_one_line_without_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert len(refused(capsys, "status").splitlines()) == 1
    Path("dvc.yaml").touch()
    assert len(refused(capsys, "status").splitlines()) == 1
    call("git", "init", "--quiet")
    assert len(refused(capsys, "promote").splitlines()) == 1


@pytest.mark.parametrize("words", ["promote --version 1.2", "promote --bump huge", "deploy", ""])
def test_wrong_usage_ends_with_2(words):
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2


def test_the_module_runs_as_a_command(tmp_path):
    ended = subprocess.run(
        (sys.executable, "-m", "scoring.registry", "status"),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
