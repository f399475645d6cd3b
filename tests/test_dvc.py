"""dvc.yaml tells the truth about the stages."""

import ast
import json

import pytest
import yaml

from tests.imports import ROOT, rooms_behind

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAGES = DVC["stages"]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
SCHEMA = json.loads((ROOT / "params.schema.json").read_text())


def stage_files():
    return {p.stem for p in (ROOT / "stages").glob("[!_]*.py")}


def params_read_by(stage):
    """Keys of `params` that a stage's file names; None where it hands on all of them."""
    tree = ast.parse((ROOT / "stages" / f"{stage}.py").read_text())
    keys = set()
    for node in ast.walk(tree):
        given = (
            [*node.args, *(k.value for k in node.keywords)] if isinstance(node, ast.Call) else []
        )
        if "params" in map(ast.unparse, given):
            return None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "params":
            keys.add(node.slice.value)
    return keys


def declared_by(stage):
    """Parameters that dvc.yaml declares for a stage, its own by their plain name."""
    keys = set()
    for name in STAGES[stage].get("params", []):
        section, _, key = name.partition(".")
        found = [key] if key else list(PARAMS[section])
        keys |= {k if section == stage else f"{section}.{k}" for k in found}
    return keys


def test_a_stage_is_a_file_a_section_of_params_and_of_the_schema():
    assert set(STAGES) == stage_files()
    assert set(PARAMS) <= set(STAGES)
    assert set(SCHEMA["properties"]) == set(PARAMS) == set(SCHEMA["required"])


def test_every_stage_says_what_it_does():
    assert all(stage["desc"] for stage in STAGES.values())


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_as_a_module_of_its_name(stage):
    assert STAGES[stage]["cmd"] == f"python -m stages.{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_a_stage_depends_on_is_the_rooms_it_imports(stage):
    declared = [dep for dep in STAGES[stage]["deps"] if dep.startswith(("flowers/", "stages/"))]
    assert declared == rooms_behind(f"stages.{stage}")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_parameters_it_reads_and_no_other(stage):
    read = params_read_by(stage)
    assert declared_by(stage) == (set(PARAMS[stage]) if read is None else read)


@pytest.mark.parametrize("section", PARAMS)
def test_every_knob_has_a_rule_and_every_rule_a_knob(section):
    rules = SCHEMA["properties"][section]
    assert set(rules["properties"]) == set(PARAMS[section]) == set(rules["required"])
    assert rules["additionalProperties"] is False


def paths_named_in(stage):
    """Paths below data, models, metrics and plots that the stage's file spells out."""
    tree = ast.parse((ROOT / "stages" / f"{stage}.py").read_text())
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    rooms = ("data/", "models/", "metrics/", "plots/")
    return {t for t in texts if isinstance(t, str) and t.startswith(rooms) and "." in t}


@pytest.mark.parametrize("stage", STAGES)
def test_every_file_a_stage_names_is_declared(stage):
    declared = set(STAGES[stage]["deps"])
    for kind in ("outs", "metrics", "plots"):
        for out in STAGES[stage].get(kind, []):
            declared |= set(out) if isinstance(out, dict) else {out}
    assert paths_named_in(stage) <= declared


def test_the_headline_is_the_only_metric():
    declared = [out for stage in STAGES.values() for out in stage.get("metrics", [])]
    assert [name for out in declared for name in out] == ["metrics/summary.json"]


def test_what_git_keeps_is_not_in_the_cache_as_well():
    for stage in STAGES.values():
        for kind in ("metrics", "plots"):
            for out in stage.get(kind, []):
                assert [shown["cache"] for shown in out.values()] == [False]


# What snapshot reads, the log, is no input that DVC sees; the others say what they say in tables
# of which DVC would make charts.
@pytest.mark.parametrize(
    "stage", sorted(set(STAGES) - {"snapshot", "drift", "evaluate", "label_issues", "promote"})
)
def test_the_run_cache_brings_back_what_a_stage_made(stage):
    """DVC keeps no run that has an output outside its cache other than metrics and plots."""
    assert all(isinstance(out, str) for out in STAGES[stage].get("outs", []))


def test_the_run_cache_tells_every_knob_from_another():
    """It leaves the keys "size" and "nfiles" out of what it compares, at any depth."""
    sections = {name for stage in STAGES.values() for name in stage.get("params", [])} & set(PARAMS)
    assert sections
    assert not {key for name in sections for key in PARAMS[name]} & {"size", "nfiles"}
