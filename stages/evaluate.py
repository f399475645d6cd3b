"""Score both models on the test photos, with intervals, a paired test and pictures."""

from pathlib import Path

import numpy as np

from flowers.base.tables import read_csv, round_floats, to_rows, write_csv, write_json, write_text
from flowers.evaluation import charts, metrics
from flowers.evaluation.metrics import select_summary_metrics
from flowers.evaluation.predictions import (
    Predictions,
    build_class_rows,
    build_prediction_rows,
    find_confident_errors,
)
from flowers.images.contact_sheet import write_contact_sheet
from flowers.learning.saved import load
from stages.support.files import load_split
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers

MODELS = ("svm", "nb")


def main(params):
    rows, index = load_split(), read_csv("data/index.csv")
    test, seed, bins = np.flatnonzero(~rows["train"]), params["seed"], params["bins"]
    X, known = np.load("data/features.npy", mmap_mode="r")[test], rows["label"][test]
    models = {name: load(f"models/{name}.joblib", mapped=True) for name in MODELS}
    with use_stage_workers():
        given = {
            n: Predictions.from_model(m, X, known, rows["group"][test]) for n, m in models.items()
        }
    figures = {
        name: metrics.compute_metrics(a, params["resamples"], seed, bins)
        for name, a in given.items()
    }
    total = metrics.summarise_evaluation(given, figures, rows["label"][rows["train"]])
    write_json("metrics/evaluate.json", total)
    size = Path("models/svm.joblib").stat().st_size
    write_json(
        "metrics/summary.json", select_summary_metrics(figures, rows["group"], ~rows["train"], size)
    )
    facts = {key: index[key][test] for key in ("path", "sha256", "label")}
    facts = {"row": test} | facts | {"group": rows["group"][test]}
    write_csv("metrics/predictions.csv", build_prediction_rows(given, facts))
    write_csv("metrics/per_class.csv", build_class_rows(figures))
    binned = {
        name: metrics.compute_reliability(a.confidence, a.correct, bins)
        for name, a in given.items()
    }
    curves = {
        n: metrics.compute_precision_recall(known, a.probabilities, a.classes)
        for n, a in given.items()
    }
    attempts = to_rows(read_csv("plots/tuning.csv"))
    for name, picture in charts.plot_evaluation(given, binned, curves, attempts).items():
        write_text(f"plots/{name}.svg", picture)
    for name in MODELS:
        write_csv(f"plots/reliability_{name}.csv", round_floats(binned[name]))
    write_csv("plots/recall.csv", metrics.average_precision_recall(curves))
    worst, captions = find_confident_errors(given, params["sheet_size"])
    write_contact_sheet(
        "plots/confident_errors.jpg", np.load("data/images.npy", "r")[test[worst]], captions
    )
    svm, nb = figures["svm"], figures["nb"]
    return (
        f"SVM {svm['accuracy']:.4f} ({svm['accuracy_low']:.4f} to {svm['accuracy_high']:.4f}), "
        f"NB {nb['accuracy']:.4f}, baseline {total['baseline_accuracy']:.4f}"
    )


if __name__ == "__main__":
    run_stage("evaluate", main)
