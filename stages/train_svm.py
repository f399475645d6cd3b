"""Fit the RBF support vector machine and its calibration on the training rows."""

import joblib
import numpy as np

from flowers.environment import jobs
from flowers.learning.saved import save
from flowers.learning.svm import GramSVC
from flowers.tables import rounded, write_csv, write_json
from stages._files import load_rows
from stages._run import run


def main(knobs):
    rows, X = load_rows(), np.load("data/features.npy", mmap_mode="r")
    train = rows["train"]
    with joblib.parallel_config("threading", n_jobs=jobs()):
        model = GramSVC(**knobs).fit(X[train], rows["label"][train], rows["group"][train])
    save(model, "models/svm.joblib")
    held_out = zip(np.flatnonzero(train), model.calibrated(model.held_out_), strict=True)
    lines = [
        {"row": row} | {f"svm_{c}": f"{p:.6f}" for c, p in zip(model.classes_, shares, strict=True)}
        for row, shares in held_out
    ]
    write_csv("data/held_out.csv", lines)
    once = {"C": model.C_, "gamma": model.gamma_, "grouped": model.held_out_accuracy_}
    write_csv("plots/tuning.csv", rounded(model.tuning_ or [once | {"random": "", "chosen": 1}]))
    figures = {
        "photos": int(train.sum()),
        "features": X.shape[1],
        "support_vectors": len(model.support_),
        "C": model.C_,
        "gamma": model.gamma_,
        "tried": max(len(model.tuning_), 1),
        "held_out_accuracy": model.held_out_accuracy_,
    }
    write_json("metrics/train_svm.json", figures)
    return (
        f"accuracy {model.held_out_accuracy_:.4f} on held-out folds, "
        f"{len(model.support_)} of {train.sum()} photos are support vectors"
    )


if __name__ == "__main__":
    run("train_svm", main)
