"""Fit Gaussian naive Bayes and its calibration on the training rows."""

import numpy as np

from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.saved import save
from flowers.parallel import stacked
from flowers.tables import write_json
from stages._files import load_rows
from stages._run import run
from stages._workers import stage_workers


def main(knobs):
    rows = load_rows()
    train = np.flatnonzero(rows["train"])
    X = stacked([np.load("data/features.npy", mmap_mode="r")], train, "data")
    with stage_workers():
        model = CalibratedNB(**knobs).fit(X, rows["label"][train], rows["group"][train])
    save(model, "models/nb.joblib")
    figures = {
        "photos": len(train),
        "features": X.shape[1],
        "held_out_accuracy": model.held_out_accuracy_,
    }
    write_json("metrics/train_nb.json", figures)
    return f"accuracy {model.held_out_accuracy_:.4f} on held-out folds of {len(train)} photos"


if __name__ == "__main__":
    run("train_nb", main)
