"""dvc.yaml declares exactly the code, parameters and files that the stages use."""

import ast
import json
from pathlib import Path

import pytest
import yaml

from tests.imports import ROOT, list_files, list_packages

TEXT = (ROOT / "dvc.yaml").read_text()
STAGES = yaml.safe_load(TEXT)["stages"]
# The stages of make power are no part of dvc repro.
POWER = yaml.safe_load((ROOT / "power/dvc.yaml").read_text())["stages"]
ALL_STAGES = STAGES | POWER
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
SCHEMA = json.loads((ROOT / "params.schema.json").read_text())


def parse_stage(stage):
    return ast.parse((ROOT / "stages" / f"{stage}.py").read_text())


def list_code(stage):
    """Code that dvc.yaml declares for a stage."""
    return [dep for dep in ALL_STAGES[stage]["deps"] if dep.startswith(("flowers/", "stages/"))]


def list_outputs(stage, kind):
    """Paths that dvc.yaml declares for a stage under "outs", "metrics" or "plots"."""
    outputs = ALL_STAGES[stage].get(kind, [])
    return [path for out in outputs for path in (out if isinstance(out, dict) else [out])]


def list_read_params(stage):
    """Keys of `params` that a stage's file names; None where it passes on all of them."""
    keys = set()
    for node in ast.walk(parse_stage(stage)):
        if isinstance(node, ast.Call):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            if "params" in map(ast.unparse, arguments):
                return None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "params":
            keys.add(node.slice.value)
    return keys


def list_declared_params(stage):
    """Parameters that dvc.yaml declares for a stage, its own by their plain name."""
    keys = set()
    for name in ALL_STAGES[stage].get("params", []):
        section, _, key = name.partition(".")
        names = [key] if key else list(PARAMS[section])
        keys |= {k if section == stage else f"{section}.{k}" for k in names}
    return keys


def test_the_lock_holds_the_stages_of_dvc_yaml_and_no_other():
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    assert set(lock["stages"]) == set(STAGES)


def test_every_stage_has_a_file_and_every_section_of_params_a_rule():
    assert set(ALL_STAGES) == {p.stem for p in (ROOT / "stages").glob("[!_]*.py")}
    assert set(PARAMS) - {"study"} <= set(ALL_STAGES)
    assert set(SCHEMA["properties"]) == set(PARAMS) == set(SCHEMA["required"])


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_a_stage_has_a_description_and_depends_on_the_packages_it_imports(stage):
    assert ALL_STAGES[stage]["desc"]
    assert ALL_STAGES[stage]["cmd"] == f"python -m stages.{stage}"
    assert list_code(stage) == list_packages(f"stages.{stage}")


def count_lines(paths):
    return sum(len((ROOT / path).read_text().splitlines()) for path in paths)


def test_dvc_yaml_is_short_and_stages_import_most_of_the_lines_they_declare():
    """At least three quarters: an edit of the other lines reruns a stage without need."""
    more = len(STAGES) - 14  # a model of your own adds a stage
    assert len(TEXT.splitlines()) <= 130 + 12 * more
    assert sum(len(list_code(stage)) for stage in STAGES) <= 90 + 6 * more
    imported = declared = 0
    for stage in STAGES:
        imported += count_lines(set(list_files(f"stages.{stage}")) - {"stages/__init__.py"})
        for path in map(Path, list_code(stage)):
            declared += count_lines([path] if path.suffix else (ROOT / path).rglob("*.py"))
    assert imported >= 0.75 * declared


def test_dvc_repro_does_not_run_the_simulation_of_the_drift_detector():
    assert set(POWER) == {"drift_power"} and not set(STAGES) & set(POWER)
    inputs = {dep for stage in STAGES.values() for dep in stage["deps"]}
    assert not inputs & set(list_outputs("drift_power", "plots"))
    assert POWER["drift_power"]["wdir"] == ".."


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_a_stage_declares_the_parameters_it_reads_and_no_other(stage):
    keys = list_read_params(stage)
    assert list_declared_params(stage) == (set(PARAMS[stage]) if keys is None else keys)


@pytest.mark.parametrize("section", PARAMS)
def test_every_parameter_has_a_rule_and_every_rule_a_parameter(section):
    rules = SCHEMA["properties"][section]
    optional = {"options"} & set(PARAMS[section])
    assert set(rules["properties"]) == set(PARAMS[section]) == set(rules["required"]) | optional
    assert rules["additionalProperties"] is False


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_every_path_in_a_stage_file_is_declared(stage):
    declared = set(ALL_STAGES[stage]["deps"])
    for kind in ("outs", "metrics", "plots"):
        declared |= set(list_outputs(stage, kind))
    texts = {n.value for n in ast.walk(parse_stage(stage)) if isinstance(n, ast.Constant)}
    folders = ("data/", "models/", "metrics/", "plots/", "monitoring/", "review/")
    paths = {t for t in texts if isinstance(t, str) and t.startswith(folders) and "." in t}
    folders = declared - {path for path in declared if "." in path}
    assert not {p for p in paths - declared if not any(p.startswith(f"{f}/") for f in folders)}


def test_the_summary_is_the_only_metric_and_metrics_and_plots_are_tracked_by_git_alone():
    metrics = [path for stage in STAGES for path in list_outputs(stage, "metrics")]
    assert metrics == ["metrics/summary.json"]
    for stage in ALL_STAGES.values():
        for out in stage.get("metrics", []) + stage.get("plots", []):
            assert [options["cache"] for options in out.values()] == [False]


# The log, which snapshot reads, is no dependency of DVC; the other stages write tables that DVC
# would draw as charts if they were plots.
@pytest.mark.parametrize(
    "stage", sorted(set(STAGES) - {"snapshot", "drift", "evaluate", "label_issues", "promote"})
)
def test_the_run_cache_can_restore_a_stage(stage):
    """DVC keeps no run that has outputs outside its cache other than metrics and plots."""
    assert all(isinstance(out, str) for out in STAGES[stage].get("outs", []))


def test_the_run_cache_compares_every_parameter():
    """It ignores the keys "size" and "nfiles" at any depth."""
    sections = {n for stage in ALL_STAGES.values() for n in stage.get("params", [])} & set(PARAMS)
    assert sections
    assert not {key for name in sections for key in PARAMS[name]} & {"size", "nfiles"}


def test_no_stage_is_a_template():
    """DVC cannot freeze a stage with ``${...}``."""
    assert "${" not in json.dumps(ALL_STAGES)
