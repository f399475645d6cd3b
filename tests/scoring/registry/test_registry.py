"""Promotion, rollback, fetch and status."""

import http.server
import json
import threading
from functools import partial
from pathlib import Path

import gto.api
import pytest

from flowers.base.errors import BadInput
from flowers.model.card import get_attestation_path
from flowers.model.folder import load_predictor
from scoring.registry.__main__ import main
from scoring.registry.git import run_git
from tests.scoring.registry.registry_repository import (
    ALL_CHECKS,
    commit_empty,
    damage_cache,
    expect_refusal,
    read_files,
    read_status,
    switch_branch,
    tag_by_hand,
)

pytestmark = pytest.mark.usefixtures("lock_matches")


@pytest.mark.slow
def test_promotions_and_a_rollback_each_fetch_the_tagged_bits(both, capsys):
    switch_branch("svm")
    svm = read_files("models/candidate")
    assert main(["promote"]) == 0
    assert main(["fetch"]) == 0
    assert read_files("models/production") == svm

    switch_branch("nb")
    nb = read_files("models/candidate")
    assert nb["model.joblib"] != svm["model.joblib"]
    assert main(["promote", "--bump", "patch"]) == 0
    assert read_status(capsys)["production"]["on_disk"] == "v1.0.0"
    assert main(["fetch"]) == 0
    assert read_files("models/production") == nb
    assert read_status(capsys)["production"]["on_disk"] == "same"

    assert main(["rollback"]) == 0
    assert main(["fetch"]) == 0
    assert read_files("models/production") == svm
    assert json.loads(Path("models/production/provenance.json").read_text()) == {
        "version": "v1.0.0",
        "tag": "flowers#production#3",
        "commit": run_git("rev-parse", "svm"),
        "md5": json.loads(svm["card.json"])["model"]["md5"],
    }
    assert read_status(capsys)["production"]["checks_skipped"] == []
    assert "--to" in expect_refusal(capsys, "rollback")

    assert main(["rollback", "--to", "v1.0.1"]) == 0
    (production,) = [v["version"] for v in gto.api.show(".", "flowers") if v["stages"]]
    assert production == "v1.0.1"
    capsys.readouterr()
    assert main(["history"]) == 0
    versions = [line.split()[4] for line in capsys.readouterr().out.splitlines()]
    assert versions == ["v1.0.1", "v1.0.0", "v1.0.1", "v1.0.0"]
    assert "v9.9.9" in expect_refusal(capsys, "rollback", "--to", "v9.9.9")


def test_a_cache_with_other_bytes_is_refused_and_production_stays(promoted, capsys):
    before = read_files("models/production")
    commit_empty()
    tag_by_hand("flowers#production#2")
    md5 = read_status(capsys)["production"]["md5"]
    damage_cache(md5)
    assert md5 in expect_refusal(capsys, "fetch")
    assert read_files("models/production") == before
    assert not list(Path("models").glob(".fetch-*"))


def test_an_altered_production_folder_is_reported_and_fetched_again(promoted, capsys):
    original = read_files("models/production")
    path = Path("models/production/model.joblib")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    assert read_status(capsys)["production"]["on_disk"] == "altered"
    assert main(["fetch"]) == 0
    assert read_files("models/production") == original


def test_a_fetched_folder_is_loaded_only_with_its_attestation(promoted):
    production = Path("models/production")
    get_attestation_path(production).unlink()
    with pytest.raises(BadInput, match="fetch"):
        load_predictor(production)
    assert main(["fetch"]) == 0
    assert load_predictor(production).version == "v1.0.0"
    provenance = production / "provenance.json"
    provenance.write_text(provenance.read_text().replace("v1.0.0", "v2.0.0"))
    with pytest.raises(BadInput, match="attestation"):
        load_predictor(production)


def test_a_tag_by_hand_promotes_and_status_names_the_skipped_checks(repo, capsys):
    tag_by_hand("flowers@v1.0.0")
    tag_by_hand("flowers#production#1")
    assert main(["fetch"]) == 0
    status = read_status(capsys)
    assert status["production"]["version"] == "v1.0.0"
    assert status["production"]["checks_skipped"] == ALL_CHECKS
    assert status["production"]["on_disk"] == "same"
    assert status["candidate"]["version"] == "v1.0.0"
    assert main(["status"]) == 0
    assert "skipped: clean-tree lock gate bytes new comparison" in capsys.readouterr().out
    # promote runs the checks later.
    assert main(["promote"]) == 0
    assert read_status(capsys)["production"]["checks_skipped"] == []
    assert "already" in expect_refusal(capsys, "promote")


def test_a_cleared_canary_is_promoted_under_its_version(repo, capsys):
    assert main(["canary"]) == 0
    assert main(["fetch", "--stage", "canary"]) == 0
    assert read_files("models/canary") == read_files("models/candidate")
    assert main(["canary", "--clear"]) == 0
    assert "flowers#canary!#2" in run_git("tag")
    assert read_status(capsys)["canary"] is None
    assert "canary" in expect_refusal(capsys, "fetch", "--stage", "canary")
    assert expect_refusal(capsys, "canary", "--clear")
    assert main(["promote"]) == 0
    production = read_status(capsys)["production"]
    assert (production["version"], production["tag"]) == ("v1.0.0", "flowers#production#3")


def test_a_version_names_one_commit(promoted, capsys):
    commit_empty()
    assert "v1.0.0" in expect_refusal(capsys, "promote", "--version", "v1.0.0")
    assert main(["promote", "--bump", "major", "--force"]) == 0
    assert read_status(capsys)["latest"]["version"] == "v2.0.0"
    assert "v2.0.0" in expect_refusal(capsys, "promote", "--bump", "minor")


def test_the_bytes_of_another_version_are_not_promoted(promoted, capsys):
    commit_empty()
    before = run_git("tag")
    for command in ("promote", "canary"):
        (line,) = expect_refusal(capsys, command).splitlines()
        assert "new: v1.0.0 (commit " in line and "git checkout" in line
    assert run_git("tag") == before
    assert main(["promote", "--force"]) == 0
    assert read_status(capsys)["production"]["checks_failed"] == ["new"]


def test_a_second_rollback_goes_further_back(repo, capsys):
    for number in (1, 2, 3):
        commit_empty()
        tag_by_hand(f"flowers@v1.{number}.0")
        tag_by_hand(f"flowers#production#{number}")
    for version in ("v1.2.0", "v1.1.0"):
        assert main(["rollback"]) == 0
        assert read_status(capsys)["production"]["version"] == version
    expect_refusal(capsys, "rollback")


def test_without_a_tag_there_is_nothing_to_fetch(repo, capsys):
    assert "no version is in production" in expect_refusal(capsys, "fetch")
    status = read_status(capsys)
    assert status["production"] is status["canary"] is status["latest"] is None
    assert status["candidate"]["version"] is None
    assert status["server"]["error"] == "no server at http://127.0.0.1:9"


@pytest.fixture
def health(tmp_path, monkeypatch):
    """The file that a server at SCORER_URL returns for GET /health."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("SCORER_URL", f"http://127.0.0.1:{server.server_port}/")
        yield tmp_path / "health"
        server.shutdown()


def test_status_shows_the_model_of_the_server(promoted, capsys, health):
    health.write_text('{"name": "another program"}')
    status = read_status(capsys)
    assert "SCORER_URL" in status["server"]["error"]
    production = status["production"]
    body = {
        "model_version": "v1.0.0",
        "tag": production["tag"],
        "model_md5": production["md5"],
        "loaded_at": "2026-01-02T03:04:05.678Z",
    }
    health.write_text(json.dumps(body))
    assert list(read_status(capsys)["server"]["model"].values()) == list(body.values())
    assert main(["status"]) == 0
    assert "not the production model" not in capsys.readouterr().out
    health.write_text(json.dumps(body | {"tag": "flowers#production#0"}))  # before a rollback
    assert main(["status"]) == 0
    assert "not the production model" not in capsys.readouterr().out
    health.write_text(json.dumps(body | {"model_version": "v0.9.0", "model_md5": "0" * 32}))
    assert main(["status"]) == 0
    output = capsys.readouterr().out
    assert "v0.9.0" in output and "not the production model" in output


def test_user_errors_are_one_line_without_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert len(expect_refusal(capsys, "status").splitlines()) == 1
    Path("dvc.yaml").touch()
    assert len(expect_refusal(capsys, "status").splitlines()) == 1
    run_git("init", "--quiet")
    assert len(expect_refusal(capsys, "promote").splitlines()) == 1


@pytest.mark.parametrize("words", ["promote --version 1.2", "promote --bump huge", "deploy", ""])
def test_wrong_usage_ends_with_2(words):
    assert main(words.split()) == 2
