"""Fit Gaussian naive Bayes and its calibration on the training rows."""

import numpy as np

from flowers.base.parallel import stack_rows
from flowers.base.tables import format_share, write_json
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.persistence import save_model
from stages.support.files import load_split
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers


def main(params):
    split = load_split()
    train = np.flatnonzero(split["train"])
    X = stack_rows([(np.load("data/features.npy", mmap_mode="r"), train)], "data")
    with use_stage_workers():
        model = CalibratedNB(**params).fit(X, split["label"][train], split["group"][train])
    save_model(model, "models/nb.joblib")
    accuracy = model.out_of_fold_accuracy_
    photos = len(model.out_of_fold_decision_)  # fewer than in train if the fit took a sample
    figures = {"photos": photos, "features": X.shape[1], "out_of_fold_accuracy": accuracy}
    write_json("metrics/train_nb.json", figures)
    return f"out-of-fold accuracy {format_share(accuracy)} on {photos} photos"


if __name__ == "__main__":
    run_stage("train_nb", main)
