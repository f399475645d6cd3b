"""Fit the support vector machine and its calibration on the training rows."""

import numpy as np

from flowers.learning.rows import Rows
from flowers.learning.saved import save
from flowers.learning.sgd import StreamedSVC
from flowers.learning.svm import GramSVC
from flowers.parallel import stacked
from flowers.tables import rounded, table_rows, write_csv, write_json
from stages._files import load_rows
from stages._run import run
from stages._workers import stage_workers


def main(knobs):
    rows = load_rows()
    train = np.flatnonzero(rows["train"])
    sources = [np.load("data/features.npy", mmap_mode="r")]
    # A photo and its mirror image share a group, so no fold tells the one by the other.
    if knobs.pop("mirror"):
        sources.append(np.load("data/mirrored.npy", mmap_mode="r"))
    known, streamed = np.tile(train, len(sources)), knobs.pop("solver") == "sgd"
    X = Rows(sources, train) if streamed else stacked(sources, train, "data")
    with stage_workers():
        model = (StreamedSVC if streamed else GramSVC)(**knobs)
        model.fit(X, rows["label"][known], rows["group"][known])
    save(model, "models/svm.joblib")
    held_out = model.calibrated(model.held_out_)[: len(train)].T
    told = zip(model.classes_, held_out, strict=True)
    columns = {f"svm_{c}": [f"{p:.6f}" for p in its_own] for c, its_own in told}
    write_csv("data/held_out.csv", table_rows({"row": train} | columns))
    write_csv("plots/tuning.csv", rounded(model.attempts()))
    counts = {"photos": len(train), "mirrored": len(X) - len(train)}
    write_json("metrics/train_svm.json", counts | model.figures())
    return (
        f"accuracy {model.held_out_accuracy_:.4f} on held-out folds, "
        f"{len(model.support_)} of {len(X)} rows are support vectors"
    )


if __name__ == "__main__":
    run("train_svm", main)
