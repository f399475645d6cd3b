"""make exp: options are checked, expanded into ``dvc exp run``, and compared with HEAD."""

import json
import os
import shlex
import shutil
import subprocess
import zipfile

import pytest

from stages.support.run import read_yaml
from study import exp, experiments
from study.recipes import read_recipe
from tests.imports import ROOT
from tests.repo_copy import RepoCopy


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A repository with the parameters alone; its experiments end when DVC would start."""
    for name in ("params.yaml", "params.schema.json"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiments, "ROOT", tmp_path)
    copy = RepoCopy(tmp_path)
    copy.run("git", "init", "-q", "--template=")
    copy.commit("start")
    return copy


@pytest.fixture
def archive(repo):
    """An archive of two classes, whose name holds quotes, spaces and a comma."""
    path = repo.path / 'it\'s, "mine" $x 1.zip'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/1.jpg", b"1")
        file.writestr("b/2.jpg", b"2")
    return path


@pytest.fixture
def commands(monkeypatch):
    """The commands of DVC, which are not run."""
    commands = []
    monkeypatch.setattr(exp, "run_and_compare", lambda command, _: commands.append(command))
    return commands


def list_settings(command):
    """Values of the options ``-S key=value``, as text."""
    return dict(word.split("=", 1) for word in command[command.index("-S") + 1 :: 2])


def refuse(*options):
    """Run an experiment that must stop before DVC; its message, which must be one line."""
    with pytest.raises(SystemExit) as stopped:
        exp.main(options)
    (line,) = stopped.value.code.splitlines()
    assert line.startswith("exp: ")
    return line


def run_exp(*options):
    with pytest.raises(SystemExit) as ended:
        exp.main(options)
    assert ended.value.code is None


def test_the_printed_command_holds_every_option_and_is_the_one_that_runs(
    repo, archive, commands, capsys
):
    options = ["--NAME=mine", f"--SOURCE={archive.name}", "--RECIPE=pixels"]
    run_exp(*options, "--SET=train_svm.C=3  split.test_size=0.25 flatten.features=[hog, colour]")
    assert shlex.split(capsys.readouterr().out) == commands[0]
    assert commands[0][:5] == ["dvc", "exp", "run", "--name", "mine"]
    settings = list_settings(commands[0])
    assert settings.keys() >= read_recipe("pixels").keys()
    assert settings["train_svm.C"] == "3" and settings["train_svm.kernel"] == "rbf"
    assert settings["flatten.features"] == "[hog,colour]"
    assert settings["fetch.source"] == "archive" and len(settings["fetch.sha256"].strip('"')) == 64
    params = exp.collect_params(str(archive), None, None)
    assert params["fetch.path"] == str(archive.resolve())


def test_all_options_may_be_left_out(repo, commands, capsys):
    run_exp()
    assert commands == [["dvc", "exp", "run"]]
    assert capsys.readouterr().out == "dvc exp run\n"


def test_a_changed_folder_or_archive_changes_a_parameter(repo, archive):
    folder = repo.path / "photos"
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    for name in ("a/1.jpg", "b/2.jpg"):
        (folder / name).write_bytes(b"1")
    before = [exp.collect_params(str(path), None, None) for path in (folder, archive)]
    assert [params["fetch.source"] for params in before] == ["folder", "archive"]
    (folder / "a/1.jpg").write_bytes(b"2")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("a/3.jpg", b"3")
    after = [exp.collect_params(str(path), None, None) for path in (folder, archive)]
    for old, new in zip(before, after, strict=True):
        assert {key for key in old if old[key] != new[key]} == {"fetch.sha256"}


def test_a_url_stays_a_parameter_of_other_people(repo, archive, monkeypatch):
    monkeypatch.setattr(experiments, "fetch_file", lambda *_, **__: archive)
    url = "https://example.org/photos.zip"
    assert exp.collect_params(url, None, None)["fetch.path"] == url
    assert experiments.get_source_params(url)["fetch.path"] == str(archive.resolve())


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--RECIPE=fisher-smal", ("fisher-smal:", "did you mean fisher-small?", "pixels-tuned")),
        ("--SET=train_svm.c=3", ("train_svm.c:", "did you mean train_svm.C?", "gamma")),
        ("--SET=+train_svm.C=3", ("+train_svm.C", "did you mean train_svm.C?")),
        ("--SET=train_svm.C", ("section.key=value",)),
        ("--SET=flatten.features=[hog", ("flatten.features=[hog",)),
        ("--SET=flatten.features=[hog,sift]", ("sift", "fisher")),
        ("--SET=train_svm.C=-3", ("train_svm.C", "-3", "1000000")),
        ("--SET=train_svm.kernel=rbf train_svm.solver=sgd", ("train_svm.kernel", "linear")),
        ("--SET=train_other.estimator=sklearn.svm.SVX", ("sklearn.svm.SVX", "did you mean SVC?")),
        ("--SET=train_other.options={n:100}", ("space after each colon: {n: 100}",)),
        ("--SET='study.title=Which is it?'", ("without quotes: study.title=Which is it?",)),
        ("--SOURCE=", ("SOURCE= is empty",)),
        ("--SOURCE=none.zip", ("none.zip does not exist",)),
        ("--SOURCE=params.yaml", ("params.yaml", "no zip or tar")),
        ("--SOURCE=s3://bucket/a.zip", ("s3://bucket/a.zip has the scheme s3",)),
        ("--SOURCE=empty", ("empty",)),
        ("--NAME=a/b", ("NAME=a/b", "letters")),
        (f"--NAME={'a' * 101}", ("NAME=aaa", "letters")),
        ("--NAME=HEAD", ("NAME=HEAD", "commit")),
        ("--SOURCE=~nobody-of-this-name/photos", ("~nobody-of-this-name",)),
    ],
)
def test_a_wrong_option_is_refused_in_one_line_before_dvc_starts(repo, commands, option, words):
    (repo.path / "empty").mkdir()
    line = refuse(option)
    assert all(word in line for word in words), line
    assert not commands


def test_a_recipe_of_yours_sets_what_it_names(repo, commands):
    (repo.path / "my recipe.yaml").write_text("# mine\ntrain_svm: {C: [1, 2]}\n")
    run_exp("--RECIPE=my recipe.yaml")
    assert list_settings(commands[0]) == {"train_svm.C": "[1,2]"}
    (repo.path / "my recipe.yaml").write_text("train_svm: {D: 1}\n")
    assert "train_svm.D" in refuse("--RECIPE=my recipe.yaml")


@pytest.mark.parametrize("text", ["", "- 1\n", "fetch: synthetic\n", "fetch: [\n"])
def test_parameters_without_sections_are_refused(repo, commands, text):
    (repo.path / "params.yaml").write_text(text)
    assert "params.yaml" in refuse("--RECIPE=pixels")


def test_a_name_that_is_in_use_is_refused(repo, commands):
    head = repo.run("git", "rev-parse", "HEAD").stdout.strip()
    repo.run("git", "update-ref", f"refs/exps/{head[:2]}/{head[2:]}/mine", head)
    line = refuse("--NAME=mine")
    assert "mine exists" in line and "dvc exp remove mine" in line
    run_exp("--NAME=another")


def test_parameters_that_differ_from_head_are_listed(repo, commands, capsys):
    repo.set_params(**{"train_svm.C": 7})
    run_exp("--SET=split.test_size=0.25")
    line, remedy, command = capsys.readouterr().out.splitlines()
    assert line.endswith("train_svm.C 2.0 -> 7") and "git checkout ." in remedy
    assert command == "dvc exp run -S split.test_size=0.25"


def test_make_passes_the_variables_of_its_command_line_alone(monkeypatch):
    monkeypatch.setenv("NAME", "machine")
    for variable in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # set if make runs the tests
        monkeypatch.delenv(variable, raising=False)
    name = 'it\'s, "mine" $ 1.zip'
    command = ["make", "--dry-run", "-o", "env", "exp", f"SOURCE={name.replace('$', '$$')}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert shlex.split(done.stdout) == ["python", "-m", "study.exp", f"--SOURCE={name}"]


def test_the_results_are_compared_with_head_and_a_failure_says_how_to_go_back(
    repo, monkeypatch, capfd
):
    (repo.path / "metrics").mkdir()
    header = "sha256,label,group,svm,svm_a,svm_b"
    rows = "".join(f"{i},a,{i},{'ab'[i % 2]},1,0\n" for i in range(8))
    (repo.path / "metrics/predictions.csv").write_text(f"{header}\n{rows}")
    classes = {"classes": {"Lilly": 1, "Tulip": 2}}
    (repo.path / "metrics/fetch.json").write_text(json.dumps(classes))
    program = repo.path / "dvc"  # prints its arguments
    program.write_text('#!/bin/sh\necho "$0 $*"\n')
    program.chmod(0o755)
    path = {"PATH": f"{repo.path}:{os.environ['PATH']}"}
    monkeypatch.setattr(exp, "ENVIRONMENT", os.environ | path)
    assert exp.run_and_compare(["true"], "a name") == 0
    printed = capfd.readouterr().out
    assert "dvc metrics diff" in printed
    assert "no paired comparison with HEAD: HEAD: commit" in printed
    assert "study.name" not in printed
    assert "git commit -m 'a name'" in printed and "git checkout ." in printed
    repo.commit("results")
    assert exp.run_and_compare(["true"], None) == 0
    assert "workspace       8     0.500  +0.000" in capfd.readouterr().out
    assert exp.run_and_compare(["false"], None) == 1
    assert capfd.readouterr().err.splitlines() == [
        f"exp: the run failed; back to the last commit: {exp.GO_BACK}"
    ]


def test_a_hint_names_the_classes_of_a_study_that_still_has_the_name_of_the_flowers(repo):
    (repo.path / "metrics").mkdir()
    classes = {"classes": {"Tulip": 5, "bolt": 9}}
    (repo.path / "metrics/fetch.json").write_text(json.dumps(classes))
    (line,) = exp.describe_names().splitlines()
    assert "Tulip, bolt" in line
    assert all(f"study.{key}=" in line for key in ("name", "title", "noun"))
    repo.set_params(**{"study.name": "parts"})
    assert exp.describe_names() == ""


@pytest.mark.slow
def test_an_experiment_on_photos_of_yours_runs_to_its_comparison(repo_copy):
    archive = repo_copy.path.parent / 'it\'s, "mine" $x 1.zip'
    with zipfile.ZipFile(archive, "w") as file:
        for path in (repo_copy.path / "data/photos").rglob("*.*"):
            file.write(path, path.relative_to(repo_copy.path / "data/photos"))
    make = ("env", f"PYTHONPATH={ROOT}", "make", "-f", str(ROOT / "Makefile"), "-o", "env", "exp")
    source = f"SOURCE={archive}".replace("$", "$$")
    done = repo_copy.run(*make, "NAME=mine", source, "RECIPE=hog-colour", "SET=resize.size=32")
    assert "workspace" in done.stdout and "To go back:" in done.stdout
    assert read_yaml(repo_copy.path / "params.yaml")["fetch"]["path"] == str(archive)
    assert json.loads((repo_copy.path / "metrics/fetch.json").read_text())["source"] == "archive"
    assert "mine" in repo_copy.run("dvc", "exp", "list", "--name-only").stdout
    again = repo_copy.run(*make, "NAME=mine", check=False)
    assert again.returncode and "dvc exp remove mine" in again.stderr
