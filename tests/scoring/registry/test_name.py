"""The name of the study at the beginning of its tags."""

import json
from itertools import pairwise

import gto.api
import pytest

from scoring.registry import tags
from scoring.registry.__main__ import main
from scoring.registry.git import run_git
from stages.support.run import find_faults
from tests.imports import ROOT
from tests.scoring.registry.registry_repository import (
    commit_all,
    edit_file,
    expect_refusal,
    read_status,
)


def rename_study(old, new):
    edit_file("params.yaml", f"name: {old}", f"name: {new}")
    commit_all(f"{old} to {new}")


@pytest.mark.slow
def test_tags_begin_with_the_name_in_head_and_those_of_another_name_are_mentioned(
    promoted, capsys, monkeypatch
):
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2030-01-01T00:00:00Z")
    rename_study("flowers", "rusty-bolts")
    for command in ("fetch", "push", "rollback"):
        line = expect_refusal(capsys, command)
        assert "tags of flowers, not of rusty-bolts" in line and "study.name" in line
    assert read_status(capsys)["production"] is None
    assert main(["status"]) == 0
    assert "tags of flowers" in capsys.readouterr().out
    # The candidate of the earlier name is no output of this commit.
    assert "lock: " in expect_refusal(capsys, "promote")
    assert main(["promote", "--force"]) == 0
    assert "rusty-bolts#production#1: v1.0.0" in capsys.readouterr().out
    assert {"rusty-bolts@v1.0.0", "rusty-bolts#production#1"} <= set(run_git("tag").splitlines())
    assert [v["version"] for v in gto.api.show(".", "rusty-bolts")] == ["v1.0.0"]
    status = read_status(capsys)
    assert status["production"]["tag"] == "rusty-bolts#production#1"
    assert "other_names" not in status and status["ignored_tags"] == {}
    rename_study("rusty-bolts", "flowers")
    assert read_status(capsys)["production"]["tag"] == "flowers#production#1"


def test_a_commit_without_the_section_has_the_tags_of_flowers(promoted, capsys):
    lines = (promoted / "params.yaml").read_text().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("study:"))
    end = lines.index("\n", start)
    (promoted / "params.yaml").write_text("".join(lines[:start] + lines[end:]))
    commit_all("an earlier version")
    assert read_status(capsys)["production"]["tag"] == "flowers#production#1"


def test_a_name_that_no_tag_can_have_is_refused_in_one_line(repo, capsys):
    names = ["flowers", "a b", "1", "[x]", "''", "Bolts", "-a", "a/b", "a..b", '"a\\n"']
    for old, new in pairwise(names):
        rename_study(old, new)
        (line,) = expect_refusal(capsys, "status").splitlines()
        assert "study.name" in line and "rusty-bolts" in line
    assert expect_refusal(capsys, "promote").splitlines() == [line.replace("status:", "promote:")]


@pytest.mark.parametrize("name", ["a", "rusty-bolts", "a_1", "9", "a\n", "-a", "a-", "A", "é", ""])
def test_the_schema_allows_the_names_of_the_registry(name):
    schema = json.loads((ROOT / "params.schema.json").read_text())["properties"]["study"]
    rule = schema["properties"]["name"]
    assert (find_faults(name, rule) == []) == bool(tags.NAME.fullmatch(name))
