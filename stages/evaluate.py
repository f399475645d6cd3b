"""Evaluate the models on the test images: metrics, intervals, paired tests and charts."""

import numpy as np

from flowers.base.parallel import stack_rows
from flowers.base.tables import read_csv, to_rows, write_csv, write_json, write_text
from flowers.evaluation import charts, comparison, metrics, predictions
from flowers.images.contact_sheet import write_contact_sheet
from flowers.learning.persistence import load_model
from flowers.splits import find_leaked
from stages.support.files import load_split
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers

MODELS = ("svm", "nb", "other")  # the first is compared with the others; the last may be None


def main(params):
    rows = load_split()
    test = np.flatnonzero(~rows["train"])
    X = stack_rows([(np.load("data/features.npy", mmap_mode="r"), test)], "data")
    leaked = find_leaked(rows["group"], ~rows["train"])[test]
    data = (X, rows["label"][test], rows["group"][test], leaked)
    models = {n: load_model(f"models/{n}.joblib", mapped=True) for n in MODELS}
    with use_stage_workers():
        by_model = {n: predictions.Predictions.from_model(m, *data) for n, m in models.items() if m}
    draws = (params["resamples"], params["seed"])
    figures = {n: metrics.compute_metrics(p, *draws, params["bins"]) for n, p in by_model.items()}
    total = comparison.summarise_evaluation(by_model, figures, rows["label"][rows["train"]], *draws)
    write_json("metrics/evaluate.json", total)
    parts = (rows["group"], ~rows["train"], "models/svm.joblib")
    write_json("metrics/summary.json", metrics.select_summary_metrics(figures, *parts))
    table = predictions.build_rows(by_model, read_csv("data/index.csv"), test)
    write_csv("metrics/predictions.csv", table)
    write_csv("metrics/per_class.csv", metrics.build_class_rows(figures), escape=True)
    curves = metrics.compute_curves(by_model, params["bins"])
    tuning = to_rows(read_csv("plots/tuning.csv"))
    for n, chart in charts.plot_evaluation(by_model, *curves, tuning).items():
        write_text(f"plots/{n}.svg", chart)
    for name, curve in metrics.build_curve_tables(*curves, MODELS[:2]).items():
        write_csv(f"plots/{name}.csv", curve)
    errors, captions = predictions.find_confident_errors(by_model, params["sheet_size"])
    images = np.load("data/images.npy", mmap_mode="r")[test[errors]]
    write_contact_sheet("plots/confident_errors.jpg", images, captions)
    return comparison.describe_accuracy(total)


if __name__ == "__main__":
    run_stage("evaluate", main)
