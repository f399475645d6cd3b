"""Runs are compared by the names of experiments, tags and commits."""

import subprocess

import pytest

from study import compare

HEADER = "sha256,label,group,svm,svm_a,svm_b,nb,nb_a,nb_b"


def make_rows(correct, photos=40):
    """Predictions of a run: the SVM is correct on the first photos, naive Bayes on none."""
    lines = [f"{i:064},a,{i},{'a' if i < correct else 'b'},0,0,b,0,0" for i in range(photos)]
    return "\n".join([HEADER, *lines]) + "\n"


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A tagged run with 20 correct predictions, and an experiment based on it with 36."""
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "test@localhost")
    run_git("init", "-q")
    (tmp_path / "metrics").mkdir()
    base = commit_run(make_rows(20), leakage=0.0)
    run_git("tag", "flowers@v1.0.0")
    better = commit_run(make_rows(36), leakage=0.64)
    run_git("reset", "-q", "--hard", base)
    # As dvc exp run does.
    run_git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/better", better)
    return tmp_path


def run_git(*words):
    return subprocess.run(
        ["git", *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit_run(predictions, leakage):
    with open("metrics/predictions.csv", "w") as file:
        file.write(predictions)
    with open("metrics/summary.json", "w") as file:
        file.write(f'{{"leakage": {leakage}}}')
    run_git("add", "--all")
    run_git("commit", "-qm", "a run")
    return run_git("rev-parse", "HEAD")


def print_comparison(capsys, *names):
    compare.main(names)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    return text


def split_cells(text, name):
    """Cells of the first line of a run."""
    line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
    return line.removeprefix(name).split()


def get_error(*names):
    with pytest.raises(SystemExit) as ended:
        compare.main(names)
    assert str(ended.value).startswith("compare: ") and "\n" not in str(ended.value)
    return str(ended.value)


@pytest.mark.parametrize("base", ["HEAD", "flowers@v1.0.0", "workspace"])
def test_an_experiment_is_compared_with_a_commit_a_tag_and_the_workspace(repo, capsys, base):
    text = print_comparison(capsys, base, "better")
    assert split_cells(text, base) == ["40", "0.500"]
    photos, accuracy, difference, low, _, high, only, _, other, p = split_cells(text, "better")
    assert (photos, accuracy, difference, only, other) == ("40", "0.900", "+0.400", "16", "0")
    assert 0.2 < float(low.strip("(")) < 0.4 < float(high.strip(")")) < 0.6
    assert float(p) == pytest.approx(2 / 2**16, rel=0.01)


def test_each_model_has_a_block_and_leakage_is_reported(repo, capsys):
    text = print_comparison(capsys, "HEAD", "better")
    assert [line[:3] for line in text.splitlines() if "photos" in line][:2] == ["svm", "nb "]
    assert "better: leakage, 64% of test" in text
    assert "leakage" not in print_comparison(capsys, "HEAD", "workspace", "HEAD:nb")


def test_one_model_is_compared_with_another(repo, capsys):
    text = print_comparison(capsys, "better:svm", "better:nb")
    assert split_cells(text, "better:nb")[1:3] == ["0.000", "-0.900"]
    text = print_comparison(capsys, "HEAD:svm", "better:tree")
    assert "has no tree: name one of its models, as better:svm" in text


def test_only_test_photos_of_both_runs_are_compared(repo, capsys):
    (repo / "metrics/predictions.csv").write_text(make_rows(10, photos=15))
    text = print_comparison(capsys, "HEAD", "workspace")
    assert split_cells(text, "workspace")[:3] == ["15", "0.667", "-0.333"]


def test_an_ambiguous_name_selects_the_experiment_based_on_head(repo, capsys):
    other = run_git("rev-parse", "HEAD")
    commit_run(make_rows(21), leakage=0)
    assert split_cells(print_comparison(capsys, "HEAD", "better"), "better")[1] == "0.900"
    run_git("update-ref", f"refs/exps/aa/{'b' * 38}/better", other)
    assert "several experiments are named better" in get_error("HEAD", "better")


def test_an_invalid_run_is_refused_in_one_line(repo):
    with pytest.raises(SystemExit, match="2"):
        compare.main(["HEAD", "HEAD"])
    assert "nowhere is no experiment, tag or commit" in get_error("HEAD", "nowhere")
    assert "has the models svm, nb" in get_error("HEAD:tree", "better")
    run_git("rm", "-q", "metrics/predictions.csv")
    run_git("commit", "-qm", "no run")
    assert "has no metrics/predictions.csv" in get_error("HEAD", "better")
    assert "run dvc repro" in get_error("better", "workspace")
