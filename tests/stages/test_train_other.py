"""The third model: a classifier of scikit-learn named in params.yaml."""

import json
import shutil
import sys

import pytest
from ruamel.yaml import YAML
from sklearn.utils import all_estimators

from flowers.base.errors import BadInput
from flowers.learning.persistence import load_model
from flowers.model.folder import check_golden_predictions, load_predictor
from stages.support.classifiers import EXAMPLE, find_classifier, make_classifier
from stages.support.repro import check_before_run
from tests.imports import ROOT
from tests.stages.log_files import read_figures
from tests.stages.test_run import run_python

FOREST = {"estimator": EXAMPLE, "options": {"n_estimators": 20}}


def set_classifier(repo, value):
    """Replace the section train_other of params.yaml."""
    yaml = YAML()
    path = repo.path / "params.yaml"
    content = yaml.load(path)
    content["train_other"] = value
    yaml.dump(content, path)


@pytest.mark.parametrize(
    ("estimator", "options", "words"),
    [
        ("os.system", {}, ("os.system", EXAMPLE)),
        ("sklearn..ensemble", {}, (EXAMPLE,)),
        ("sklearn.conftest.pytest", {}, (EXAMPLE,)),
        ("sklearn.os.system", {}, ("sklearn.os",)),
        ("sklearn.ensemble.ExtraTreeClassifier", {}, ("did you mean ExtraTreesClassifier?",)),
        ("sklearn.linear_model.LinearRegression", {}, ("LinearRegression", "no classifier")),
        ("sklearn.linear_model.Zzz", {}, ("one of", "LogisticRegression", "RidgeClassifier")),
        ("sklearn.base.ClassifierMixin", {}, ("no classifier", EXAMPLE)),
        ("sklearn.ensemble.VotingClassifier", {}, ("estimators", EXAMPLE)),
        (EXAMPLE, {"n_estimator": 3}, ("n_estimator is 3", "did you mean n_estimators?")),
        (EXAMPLE, {"zzz": 3}, ("zzz", "choose one of", "max_depth")),
        (EXAMPLE, {"n_jobs": -1}, ("n_jobs", "JOBS", "remove")),
        (EXAMPLE, {"random_state": None}, ("random_state", "integer", "train_svm.seed")),
        ("sklearn.svm.SVC", {"decision_function_shape": "ovo"}, ("ovo", "remove")),
    ],
)
def test_what_is_no_classifier_is_refused_in_one_line(estimator, options, words):
    with pytest.raises(BadInput) as caught:
        make_classifier(estimator, options)
    message = str(caught.value)
    assert len(message.splitlines()) == 1 and message.startswith("train_other.")
    assert all(word in message for word in words), message
    assert "sklearn.conftest" not in sys.modules


def test_every_classifier_of_scikit_learn_is_found_by_its_public_name():
    for name, classifier in all_estimators(type_filter="classifier"):
        path = classifier.__module__.split("._")[0]
        assert find_classifier(f"{path}.{name}") is classifier


def test_the_seed_is_that_of_the_options_or_of_the_svm():
    assert make_classifier(EXAMPLE, {}, 7).random_state == 7
    assert make_classifier(EXAMPLE, {"random_state": 3}, 7).random_state == 3
    assert "random_state" not in make_classifier("sklearn.naive_bayes.GaussianNB").get_params()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"estimator": "os.system"}, ("train_other.estimator", "os.system", EXAMPLE)),
        ({"estimator": EXAMPLE, "options": {"trees": 3}}, ("options.trees is 3",)),
        ({"estimator": EXAMPLE, "option": {}}, ("train_other", "'option'")),
        (EXAMPLE, ("train_other", "null, or {estimator:")),
    ],
)
def test_the_first_stage_refuses_a_faulty_classifier(workdir, value, words):
    set_classifier(workdir, value)
    line = workdir.expect_refusal("fetch")
    assert line.startswith("fetch: params.yaml: ")
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (FOREST | {"options": {"n_estimators": -3}}, ("n_estimators", "-3", "change train_other")),
        ({"estimator": "sklearn.svm.SVC", "options": {"kernel": "precomputed"}}, ("square",)),
    ],
)
def test_a_fit_that_fails_is_one_line(workdir, value, words):
    set_classifier(workdir, value)
    line = workdir.expect_refusal("train_other")
    assert all(word in line for word in words), line


def test_the_section_may_be_null_or_name_no_options(workdir):
    for value in (None, {"estimator": None}, {"estimator": "sklearn.naive_bayes.GaussianNB"}):
        set_classifier(workdir, value)
        workdir.run_stage("train_other")
        name = (value or {}).get("estimator") or "none"
        assert read_figures(workdir, "train_other")["estimator"] == name


def test_without_a_classifier_the_stage_writes_none_without_scikit_learn(finished_run, tmp_path):
    for folder in ("models", "metrics"):
        (tmp_path / folder).mkdir()
    work = "import sys; from stages import train_other; train_other.main({'estimator': None});"
    work += "print('sklearn' in sys.modules)"
    assert run_python(
        f"import sys; sys.path.append({str(finished_run.path)!r}); {work}", folder=tmp_path
    ) == ["False"]
    written = (tmp_path / "models/other.joblib").read_bytes()
    assert written == (finished_run.path / "models/other.joblib").read_bytes()
    assert load_model(tmp_path / "models/other.joblib") is None
    assert list(read_figures(finished_run, "evaluate")["classifiers"]) == ["svm", "nb"]
    assert "other" not in read_figures(finished_run, "summary")


def test_a_named_classifier_is_trained_compared_and_promoted(workdir):
    set_classifier(workdir, FOREST)
    for stage in ("train_other", "evaluate", "label_issues"):
        workdir.run_stage(stage)
    evaluation = read_figures(workdir, "evaluate")
    assert {"only_first_correct", "p_value", "difference", "low", "high"} <= set(
        evaluation["svm_vs_other"]
    )
    assert read_figures(workdir, "summary")["other"] == evaluation["other"]["accuracy"]
    assert read_figures(workdir, "train_other")["estimator"] == EXAMPLE
    assert "other_Tulip" in (workdir.path / "metrics/predictions.csv").read_text()
    for chart in ("confusion", "reliability", "recall"):
        assert "ExtraTreesClassifier" in (workdir.path / f"plots/{chart}.svg").read_text()
    assert not (workdir.path / "plots/reliability_other.csv").exists()  # DVC does not declare it
    workdir.run_stage("report")
    page = (workdir.path / "plots/report.html").read_text()
    assert "ExtraTreesClassifier(n_estimators=20, random_state=0)" in page
    make_champion(workdir, "other")
    workdir.run_stage("promote")
    assert read_figures(workdir, "promotion")["champion"] == "other"
    predictor = load_predictor(workdir.path / "models/candidate")
    check_golden_predictions(predictor, workdir.path / "models/candidate")
    params = predictor.card["model"]["params"]
    assert params["estimator"] == "ExtraTreesClassifier(n_estimators=20, random_state=0)"
    assert "ExtraTreesClassifier" in (workdir.path / "models/candidate/README.md").read_text()


def make_champion(repo, name):
    """Give a model the highest accuracy and the lowest log loss in metrics/evaluate.json."""
    evaluation = read_figures(repo, "evaluate")
    evaluation[name] |= {"accuracy": 1.0, "accuracy_low": 1.0, "log_loss": 0.0}
    (repo.path / "metrics/evaluate.json").write_text(json.dumps(evaluation))


def test_a_wrong_classifier_is_refused_before_dvc_starts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("params.yaml", "params.schema.json", "dvc.yaml", "dvc.lock"):
        shutil.copy(ROOT / name, tmp_path)
    check_before_run()
    text = (tmp_path / "params.yaml").read_text()
    wrong = text.replace("estimator: null", "estimator: sklearn.svm.SVX")
    (tmp_path / "params.yaml").write_text(wrong)
    with pytest.raises(BadInput, match="params.yaml: .* did you mean SVC"):
        check_before_run()
