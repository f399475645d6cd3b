"""`make verify` reports every altered output and every damaged cache object, with a remedy."""

import json
import shutil
import subprocess

import pytest
import yaml

from study.verify import SUMMARY, CommittedRun, check_rerun, check_summary, list_unverified
from tests.imports import ROOT

PAGES = ("study", "docs", "benchmarks", "recipes", "README.md", "ARCHITECTURE.md")
RECORDED_RUN = "docs/shown/repro.txt"


@pytest.fixture
def verified_copy(finished_run, tmp_path):
    """A copy of the finished run with `study`, the pages and their files, with caches of its own.

    The output that the pages record is that of another run, which `make verify` reports.
    """
    repo_copy = finished_run.copy_to(tmp_path / "repository")
    committed = subprocess.check_output(("git", "ls-files", *PAGES, "metrics"), cwd=ROOT, text=True)
    for name in committed.splitlines():
        if not (repo_copy.path / name).exists():
            (repo_copy.path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, repo_copy.path / name)
    repo_copy.run("python", "-m", "docs.tables")
    repo_copy.commit("study and pages")
    return repo_copy


def run_verify(repo_copy):
    """Lines with a difference, those of the recorded run, all other lines, and the exit code."""
    done = repo_copy.run("python", "-m", "study.verify", check=False)
    assert "Traceback" not in done.stderr, done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    kinds = ("in git: ", "in dvc: ", "in docs: ", "rerun: ")
    differences = [line for line in lines if line.startswith(kinds)]
    recorded = [line for line in differences if get_path(line) == RECORDED_RUN]
    rest = [line for line in lines if line not in differences]
    return [line for line in differences if line not in recorded], recorded, rest, done.returncode


def get_path(line):
    return line.split(": ", 1)[1].split()[0]


def flip_byte(path):
    """Change a byte in the middle of a file in place, so that every link to it changes."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def find_cached(repo_copy, out):
    lock = yaml.safe_load((repo_copy.path / "dvc.lock").read_text())
    outs = [o for stage in lock["stages"].values() for o in stage["outs"] if o["path"] == out]
    return repo_copy.path / ".dvc/cache/files/md5" / outs[0]["md5"][:2] / outs[0]["md5"][2:]


def edit_text(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.slow
@pytest.mark.parametrize("committed", [False, True])
def test_altered_outputs_are_reported_and_those_of_the_rerun_are_kept(verified_copy, committed):
    root = verified_copy.path
    altered = {"metrics/per_class.csv", "plots/confusion.svg", "metrics/evaluate.json"}
    chart = (root / "plots/confusion.svg").read_bytes()
    edit_text(root / "metrics/per_class.csv", "0.", "1.")
    edit_text(root / "plots/confusion.svg", "<svg", "<svg ")
    edit_text(root / "metrics/evaluate.json", "0.", "0.9")
    md5 = find_cached(verified_copy, "data/split.csv")
    edit_text(root / "dvc.lock", md5.parent.name + md5.name, "b" * 32)
    if not committed:
        # dvc.lock of HEAD records outputs that git does not hold.
        altered |= {"dvc.lock", "data/index.csv"}
        path = root / "data/index.csv"
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content.replace(b"jpg", b"png", 1))
    else:
        altered |= {"data/split.csv", "models/svm.joblib"}
        md5 = find_cached(verified_copy, "models/svm.joblib")
        edit_text(root / "dvc.lock", md5.parent.name + md5.name, "a" * 32)
        edit_text(root / "README.md", " %**", "0 %**")
        altered |= {"README.md"}
        verified_copy.commit("altered outputs")
    differences, recorded, (*rest, last), code = run_verify(verified_copy)
    assert code == 1 and recorded
    assert set(map(get_path, differences)) == altered
    assert f"{len(altered) + 1} results differ from the commit" in last
    assert all(path in last for path in altered)
    for path in ("metrics/real.json", "benchmarks/stages.json", "docs/shown/curl.txt"):
        assert f"not verified: {path}: this run cannot reproduce it" in rest
    if committed:
        assert (root / "differing/plots/confusion.svg").read_bytes() == chart
        assert (root / "differing/dvc.lock").is_file()
        assert verified_copy.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
def test_damaged_cache_objects_are_reported_and_the_printed_command_repairs_them(verified_copy):
    cache = verified_copy.path / ".dvc/cache/files/md5"
    outs = ("data/features.npy", "models/candidate")
    model = next((verified_copy.path / "models/candidate").rglob("model.*")).read_bytes()
    flip_byte(find_cached(verified_copy, outs[0]))
    part = next(path for path in cache.glob("??/*") if path.read_bytes() == model)
    flip_byte(part)
    for out in outs:
        verified_copy.run("rm", "-rf", out)
    # DVC does not notice the damage.
    verified_copy.run("dvc", "checkout")
    differences, recorded, _, code = run_verify(verified_copy)
    assert code == 1
    for out, stored in ((outs[0], find_cached(verified_copy, outs[0])), (outs[1], part)):
        lines = [line for line in differences if get_path(line) == out]
        assert any(str(stored) in line for line in lines)
        (remedy,) = (line.split("repaired by: ")[1] for line in lines if "repaired by" in line)
        verified_copy.run("bash", "-c", remedy.split(" (or ")[0])
    assert verified_copy.run("git", "status", "--porcelain").stdout == ""
    # With the recorded lines of the rerun, the repaired run is as committed.
    lines = [line.split("(make shown): ")[1] for line in recorded if " lacks " in line]
    kept = (verified_copy.path / RECORDED_RUN).read_text().splitlines()
    dropped = [line.split("(make shown): ")[1] for line in recorded if " lacks " not in line]
    lines += [line for line in kept if line not in dropped]
    (verified_copy.path / RECORDED_RUN).write_text("\n".join(lines) + "\n")
    verified_copy.run("python", "-m", "docs.tables")
    verified_copy.commit("recorded run")
    differences, recorded, (*_, last), code = run_verify(verified_copy)
    assert (differences, recorded, code) == ([], [], 0) and "as committed" in last


@pytest.mark.slow
def test_a_false_figure_of_a_file_or_of_the_log_is_found(verified_copy):
    root = verified_copy.path
    edit_text(root / "metrics/real.json", '"accuracy": 0.', '"accuracy": 0.9')
    lock = yaml.safe_load((root / "dvc.lock").read_text())
    (out,) = lock["stages"]["snapshot"]["outs"]
    edit_text(root / "dvc.lock", out["md5"], "0" * 32 + ".dir")
    verified_copy.commit("as if there was a log")
    differences, _, rest, code = run_verify(verified_copy)
    assert code == 1
    assert {"README.md", "monitoring/snapshot"} <= set(map(get_path, differences))
    assert "not verified: metrics/real.json: this run cannot reproduce it" in rest


PIPELINE = b"stages: {promote: {outs: [models/candidate]}}"
POWER = b"stages: {drift_power: {plots: [metrics/drift_power.json: {cache: false}]}}"


def make_lock(stage, dep, out, md5):
    entries = {"cmd": "x", "deps": [{"path": dep, "md5": md5}], "outs": [{"path": out, "md5": md5}]}
    return yaml.safe_dump({"stages": {stage: entries}}).encode()


@pytest.mark.parametrize(("simulated", "count"), [("a.dir", 1), ("b.dir", 0)])
def test_the_simulation_of_an_earlier_model_is_not_verified(tmp_path, simulated, count):
    promote = (PIPELINE, make_lock("promote", "data/photos", "models/candidate", "a.dir"))
    candidate = "models/candidate"
    power = make_lock("drift_power", candidate, "metrics/drift_power.json", simulated)
    committed = CommittedRun.from_bytes([promote, (POWER, power)])
    assert set(committed.in_git) == {"metrics/drift_power.json"}
    assert set(committed.in_dvc) == {candidate}
    (tmp_path / "power").mkdir()
    rerun = make_lock("drift_power", candidate, "metrics/drift_power.json", "a.dir")
    rerun = rerun.replace(b"cmd: x", b"cmd: y")
    for name, content in zip(("dvc.yaml", "dvc.lock"), promote, strict=True):
        (tmp_path / name).write_bytes(content)
    for name, content in zip(("dvc.yaml", "dvc.lock"), (POWER, rerun), strict=True):
        (tmp_path / "power" / name).write_bytes(content)
    assert len(list(check_rerun(committed, tmp_path))) == count
    assert list_unverified(committed) == ([] if count else ["metrics/drift_power.json"])


def test_figures_of_a_native_rerun_may_differ_a_little(tmp_path):
    figures = {"photos": 9, "svm": 0.85, "svm_low": 0.8, "svm_high": 0.9, "model_mb": 40.0}
    files = {SUMMARY: json.dumps(figures).encode()}
    committed = CommittedRun({}, {}, {}, files, native=True)
    (tmp_path / "metrics").mkdir()
    for changes, message in (
        ({"svm": 0.859, "model_mb": 40.3}, None),
        ({"svm": 0.861}, "svm 0.85, after a rerun 0.861"),
        ({"model_mb": 40.5}, "model_mb 40.0, after a rerun 40.5"),
        ({"photos": 8}, "photos 9, after a rerun 8"),
        ({"nb": 0.8}, "nb None, after a rerun 0.8"),
    ):
        (tmp_path / SUMMARY).write_text(json.dumps(figures | changes))
        differences = [text for _, text in check_summary(committed, tmp_path)]
        assert differences == ([f"in HEAD has {message}"] if message else [])


@pytest.mark.slow
def test_a_native_run_reruns_all_stages_and_is_compared_by_figures(verified_copy):
    native = ("env", "NUMERICS=native", "python", "-m", "stages.support.repro")
    stages = yaml.safe_load((verified_copy.path / "dvc.yaml").read_text())["stages"]
    assert verified_copy.run(*native).stdout.count("Running stage") == len(stages)
    verified_copy.run("python", "-m", "docs.tables")
    verified_copy.commit("native run")
    assert "up to date" in verified_copy.run(*native).stdout
    differences, recorded, (*_, last), code = run_verify(verified_copy)
    assert (differences, recorded, code) == ([], [], 0)
    assert "the bits of a rerun are not compared" in last
    card = (verified_copy.path / "models/candidate/card.json").read_text()
    assert '"numerics": "native"' in card
