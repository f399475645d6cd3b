"""Runs compared as a user does: by the names of experiments, tags and commits."""

import subprocess

import pytest

from study import compare

HEADER = "sha256,label,group,svm,svm_a,svm_b,nb,nb_a,nb_b"


def rows(right, photos=40):
    """Predictions of a run whose SVM answers the first photos right, and naive Bayes none."""
    lines = [f"{i:064},a,{i},{'a' if i < right else 'b'},0,0,b,0,0" for i in range(photos)]
    return "\n".join([HEADER, *lines]) + "\n"


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A run with 20 right answers, tagged, and an experiment on it with 36."""
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "test@localhost")
    git("init", "-q")
    (tmp_path / "metrics").mkdir()
    base = commit(rows(20), "base", leak=0.0)
    git("tag", "flowers@v1.0.0")
    better = commit(rows(36), "as dvc exp run does", leak=0.64)
    git("reset", "-q", "--hard", base)
    git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/better", better)
    return tmp_path


def git(*words):
    return subprocess.run(
        ["git", *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(predictions, message, leak):
    with open("metrics/predictions.csv", "w") as file:
        file.write(predictions)
    with open("metrics/summary.json", "w") as file:
        file.write(f'{{"leakage": {leak}}}')
    git("add", "--all")
    git("commit", "-qm", message)
    return git("rev-parse", "HEAD")


def told(capsys, *names):
    compare.main(names)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    return text


def cells(text, name):
    """What stands in the first line of a run."""
    line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
    return line.removeprefix(name).split()


def refused(*names):
    with pytest.raises(SystemExit) as ended:
        compare.main(names)
    assert str(ended.value).startswith("compare: ") and "\n" not in str(ended.value)
    return str(ended.value)


@pytest.mark.parametrize("base", ["HEAD", "flowers@v1.0.0", "workspace"])
def test_an_experiment_is_compared_with_a_commit_a_tag_and_the_files_here(repo, capsys, base):
    text = told(capsys, base, "better")
    assert cells(text, base) == ["40", "0.5000"]
    photos, accuracy, difference, low, _, high, only, _, other, p = cells(text, "better")
    assert (photos, accuracy, difference, only, other) == ("40", "0.9000", "+0.400", "16", "0")
    assert 0.2 < float(low.strip("(")) < 0.4 < float(high.strip(")")) < 0.6
    assert float(p) == pytest.approx(2 / 2**16, rel=0.01)


def test_both_models_have_their_lines(repo, capsys):
    text = told(capsys, "HEAD", "better")
    assert [line[:3] for line in text.splitlines() if "photos" in line][:2] == ["svm", "nb "]


def test_a_leak_is_told(repo, capsys):
    assert "better: 64% of its test photos" in told(capsys, "HEAD", "better")
    assert "twin in train" not in told(capsys, "HEAD", "workspace", "HEAD:nb")


def test_one_model_may_be_set_against_another(repo, capsys):
    text = told(capsys, "better:svm", "better:nb")
    assert cells(text, "better:nb")[1:3] == ["0.0000", "-0.900"]
    assert "has no tree: name one of its models, as better:svm" in told(
        capsys, "HEAD:svm", "better:tree"
    )


def test_only_the_photos_that_both_tested_count(repo, capsys):
    (repo / "metrics/predictions.csv").write_text(rows(10, photos=15))
    text = told(capsys, "HEAD", "workspace")
    assert cells(text, "workspace")[:3] == ["15", "0.6667", "-0.333"]


def test_of_experiments_of_one_name_that_on_this_commit_is_meant(repo, capsys):
    other = git("rev-parse", "HEAD")
    commit(rows(21), "one more commit", leak=0)
    assert cells(told(capsys, "HEAD", "better"), "better")[1] == "0.9000"
    git("update-ref", f"refs/exps/aa/{'b' * 38}/better", other)
    assert "several experiments are named better" in refused("HEAD", "better")


def test_what_is_no_run_is_refused_in_one_line(repo):
    assert "nowhere is no experiment, tag or commit" in refused("HEAD", "nowhere")
    assert "has the models svm, nb" in refused("HEAD:tree", "better")
    git("rm", "-q", "metrics/predictions.csv")
    git("commit", "-qm", "no run")
    assert "HEAD has no metrics/predictions.csv" in refused("HEAD", "better")
    assert "run dvc repro" in refused("better", "workspace")


def test_one_run_alone_is_no_comparison(repo):
    with pytest.raises(SystemExit) as ended:
        compare.main(["HEAD", "HEAD"])
    assert ended.value.code == 2
