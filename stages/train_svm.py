"""Fit the support vector machine and its calibration on the training rows."""

import numpy as np

from flowers.base.parallel import stack_rows
from flowers.base.tables import format_share, round_floats, to_rows, write_csv, write_json
from flowers.learning.persistence import save_model
from flowers.learning.sdca import OutOfCoreMatrix, StreamedSVC
from flowers.learning.svm import GramSVC, choose_solver
from stages.support.files import load_split, open_training_features
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers


def main(params):
    del params["augment"]  # of the stage flatten
    split = load_split()
    train = np.flatnonzero(split["train"])
    sources, rows = open_training_features(train)
    streamed = choose_solver(params.pop("solver"), params["kernel"], len(rows)) == "sgd"
    X = OutOfCoreMatrix(sources) if streamed else stack_rows(sources, "data")
    with use_stage_workers():
        model = (StreamedSVC if streamed else GramSVC)(**params)
        model.fit(X, split["label"][rows], split["group"][rows])
    save_model(model, "models/svm.joblib")
    probabilities = model.calibrate_decision(model.out_of_fold_decision_)[: len(train)]
    columns = {
        f"svm_{name}": [f"{p:.6f}" for p in column]
        for name, column in zip(model.classes_, probabilities.T, strict=True)
    }
    write_csv("data/out_of_fold.csv", to_rows({"row": train} | columns))
    write_csv("plots/tuning.csv", round_floats(model.list_candidates()))
    counts = {"photos": len(train), "augmented_rows": len(X) - len(train)}
    write_json("metrics/train_svm.json", counts | model.summarise_fit())
    return (
        f"out-of-fold accuracy {format_share(model.out_of_fold_accuracy_)}, "
        f"{len(model.support_)} of {len(X)} rows are support vectors"
    )


if __name__ == "__main__":
    run_stage("train_svm", main)
