"""Fit the classifier that train_other names, and its calibration, on the training rows."""

from pathlib import Path

import numpy as np

from flowers.base.parallel import stack_rows
from flowers.base.tables import format_share, write_json
from flowers.learning.persistence import save_model
from stages.support.files import load_split, open_training_features
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers

PATH = "models/other.joblib"
FIGURES = "metrics/train_other.json"


def main(params):
    name = params["estimator"]
    if name is None:
        save_model(None, PATH)
        write_json(FIGURES, {"estimator": "none"})
        return "no third model, as train_other.estimator is null"
    # Here, because they import scikit-learn, which takes a second.
    from flowers.learning.other import CalibratedOther
    from stages.support.classifiers import make_classifier, refuse_faults

    seed = params["train_svm.seed"]
    classifier = make_classifier(name, params["options"], seed)
    calibration = params["train_svm.calibration"]
    model = CalibratedOther(classifier, calibration, params["train_svm.folds"], seed)
    split = load_split()
    train = np.flatnonzero(split["train"])
    sources, rows = open_training_features(train)
    X = stack_rows(sources, "data")
    with use_stage_workers(), refuse_faults(name):
        model.fit(X, split["label"][rows], split["group"][rows])
    save_model(model, PATH)
    figures = {"estimator": name, "photos": len(train), "augmented_rows": len(X) - len(train)}
    figures |= {"features": X.shape[1], "out_of_fold_accuracy": model.out_of_fold_accuracy_}
    write_json(FIGURES, figures | {"model_mb": Path(PATH).stat().st_size / 1e6})
    return f"{name}, out-of-fold accuracy {format_share(model.out_of_fold_accuracy_)}"


if __name__ == "__main__":
    run_stage("train_other", main)
