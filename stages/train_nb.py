"""Fit Gaussian naive Bayes and its calibration on the training rows."""

import numpy as np

from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.saved import save
from flowers.tables import write_json
from stages._files import load_rows
from stages._run import run
from stages._workers import stage_workers


def main(knobs):
    rows, X = load_rows(), np.load("data/features.npy", mmap_mode="r")
    train = rows["train"]
    with stage_workers():
        model = CalibratedNB(**knobs).fit(X[train], rows["label"][train], rows["group"][train])
    save(model, "models/nb.joblib")
    figures = {
        "photos": int(train.sum()),
        "features": X.shape[1],
        "held_out_accuracy": model.held_out_accuracy_,
    }
    write_json("metrics/train_nb.json", figures)
    return f"accuracy {model.held_out_accuracy_:.4f} on held-out folds of {train.sum()} photos"


if __name__ == "__main__":
    run("train_nb", main)
