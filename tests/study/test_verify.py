"""`make verify` reports every altered output and every damaged cache object, with a remedy."""

import shutil

import pytest
import yaml

from study.verify import CommittedRun, check_rerun
from tests.imports import ROOT


@pytest.fixture
def verified_copy(finished_run, tmp_path):
    """A copy of the finished run with `study`, with caches of its own."""
    repo_copy = finished_run.copy_to(tmp_path / "repository")
    shutil.copytree(
        ROOT / "study", repo_copy.path / "study", ignore=shutil.ignore_patterns("*.pyc")
    )
    repo_copy.commit("study")
    return repo_copy


def run_verify(repo_copy):
    """Lines with a difference, the last line, and the exit code."""
    done = repo_copy.run("python", "-m", "study.verify", check=False)
    assert "Traceback" not in done.stderr, done.stderr
    differences = [
        line
        for line in done.stdout.splitlines()
        if line.startswith(("in git: ", "in dvc: ", "rerun: "))
    ]
    return differences, (done.stdout + done.stderr).splitlines()[-1], done.returncode


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
    edit_text(root / "dvc.lock", md5.parent.name + md5.name, "0" * 32)
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
        verified_copy.commit("altered outputs")
    differences, last, code = run_verify(verified_copy)
    assert code == 1
    assert set(map(get_path, differences)) == altered
    assert "5 outputs differ from the commit" in last and all(path in last for path in altered)
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
    differences, _, code = run_verify(verified_copy)
    assert code == 1
    for out, stored in ((outs[0], find_cached(verified_copy, outs[0])), (outs[1], part)):
        lines = [line for line in differences if get_path(line) == out]
        assert any(str(stored) in line for line in lines)
        (remedy,) = (line.split("repaired by: ")[1] for line in lines if "repaired by" in line)
        verified_copy.run("bash", "-c", remedy.split(" (or ")[0])
    assert verified_copy.run("git", "status", "--porcelain").stdout == ""
    # The repaired run is as committed.
    differences, last, code = run_verify(verified_copy)
    assert (differences, code) == ([], 0) and "as committed" in last


PIPELINE = b"stages: {promote: {outs: [models/candidate]}}"
POWER = b"stages: {drift_power: {plots: [metrics/drift_power.json: {cache: false}]}}"


def make_lock(stage, dep, out, md5):
    entries = {"cmd": "x", "deps": [{"path": dep, "md5": md5}], "outs": [{"path": out, "md5": md5}]}
    return yaml.safe_dump({"stages": {stage: entries}}).encode()


@pytest.mark.parametrize(("simulated", "count"), [("a.dir", 1), ("b.dir", 0)])
def test_the_simulation_of_an_earlier_model_is_not_compared(tmp_path, capsys, simulated, count):
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
    assert ("drift_power is of another candidate" in capsys.readouterr().out) == (not count)
