"""make verify finds every lie and every damaged byte, and says how to heal it."""

import shutil

import pytest
import yaml

from tests.imports import ROOT


@pytest.fixture
def verified(finished_run, tmp_path):
    """A copy of the finished run with `study`, whose caches are its own."""
    repo_copy = finished_run.copy_to(tmp_path / "repository")
    shutil.copytree(
        ROOT / "study", repo_copy.path / "study", ignore=shutil.ignore_patterns("*.pyc")
    )
    repo_copy.commit("study")
    return repo_copy


def verify(repo_copy):
    """Lines that tell of a difference, the last line, and the exit code."""
    done = repo_copy.run("python", "-m", "study.verify", check=False)
    assert "Traceback" not in done.stderr, done.stderr
    found = [
        line
        for line in done.stdout.splitlines()
        if line.startswith(("in git: ", "in dvc: ", "anew: "))
    ]
    return found, (done.stdout + done.stderr).splitlines()[-1], done.returncode


def path_in(line):
    return line.split(": ", 1)[1].split()[0]


def flip(path):
    """Change a byte in the middle of a file, in place: every link to it changes as well."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def cached(repo_copy, out):
    lock = yaml.safe_load((repo_copy.path / "dvc.lock").read_text())
    outs = [o for stage in lock["stages"].values() for o in stage["outs"] if o["path"] == out]
    return repo_copy.path / ".dvc/cache/files/md5" / outs[0]["md5"][:2] / outs[0]["md5"][2:]


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.slow
@pytest.mark.parametrize("committed", [False, True])
def test_five_lies_are_five_findings_and_what_a_run_makes_instead_is_kept(verified, committed):
    repo_copy, lock = verified, verified.path / "dvc.lock"
    lies = {"metrics/per_class.csv", "plots/confusion.svg", "metrics/evaluate.json"}
    right = (repo_copy.path / "plots/confusion.svg").read_bytes()
    edit(repo_copy.path / "metrics/per_class.csv", "0.", "1.")
    edit(repo_copy.path / "plots/confusion.svg", "<svg", "<svg ")
    edit(repo_copy.path / "metrics/evaluate.json", "0.", "0.9")
    # Of a file that DVC keeps: here dvc.lock lies, there the file.
    md5 = cached(repo_copy, "data/split.csv")
    edit(lock, md5.parent.name + md5.name, "0" * 32)
    if not committed:
        # What git does not hold yet, dvc.lock of HEAD still knows.
        lies |= {"dvc.lock", "data/index.csv"}
        path = repo_copy.path / "data/index.csv"
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content.replace(b"jpg", b"png", 1))
    else:
        lies |= {"data/split.csv", "models/svm.joblib"}
        md5 = cached(repo_copy, "models/svm.joblib")
        edit(lock, md5.parent.name + md5.name, "a" * 32)
        repo_copy.commit("lies")
    found, last, code = verify(repo_copy)
    assert code == 1
    assert set(map(path_in, found)) == lies
    assert "5 are not as committed" in last and all(lie in last for lie in lies)
    if committed:
        assert (repo_copy.path / "differing/plots/confusion.svg").read_bytes() == right
        assert (repo_copy.path / "differing/dvc.lock").is_file()
        assert repo_copy.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
def test_damaged_objects_of_the_cache_are_named_and_the_printed_words_heal_them(verified):
    repo_copy, outs = verified, ("data/features.npy", "models/candidate")
    photo = next(iter((repo_copy.path / "models/candidate").rglob("model.*")))
    flip(cached(repo_copy, outs[0]))
    part = next(
        path
        for path in (repo_copy.path / ".dvc/cache/files/md5").glob("??/*")
        if path.read_bytes() == photo.read_bytes()
    )
    flip(part)
    for out in outs:
        repo_copy.run("rm", "-rf", out)
    # DVC sees nothing.
    repo_copy.run("dvc", "checkout")
    found, _, code = verify(repo_copy)
    assert code == 1
    for out, place in ((outs[0], cached(repo_copy, outs[0])), (outs[1], part)):
        about = [line for line in found if path_in(line) == out]
        assert any(str(place) in line for line in about)
        (remedy,) = (line.split("healed by: ")[1] for line in about if "healed by" in line)
        repo_copy.run("bash", "-c", remedy.split(" (or ")[0])
    assert repo_copy.run("git", "status", "--porcelain").stdout == ""
    # What was just run is as committed.
    found, last, code = verify(repo_copy)
    assert (found, code) == ([], 0) and "as committed" in last
