"""Score both models on the test photos, with intervals, a paired test and pictures."""

import numpy as np

from flowers.evaluation import charts
from flowers.evaluation import scores as report
from flowers.model_files import load
from flowers.photos.contact_sheet import contact_sheet
from stages._files import load_rows, read_csv, rounded, whole, write_csv, write_json
from stages._run import run

MODELS = ("svm", "nb")


def main(knobs):
    rows, index = load_rows(), read_csv("data/index.csv")
    test = np.flatnonzero(~rows["train"])
    labels, groups = rows["label"][test], rows["group"][test]
    X = np.load("data/features.npy", mmap_mode="r")[test]
    models = {name: load(f"models/{name}.joblib") for name in MODELS}
    classes = models["svm"].classes_
    shares = {name: model.predict_proba(X) for name, model in models.items()}
    answers = {name: classes[p.argmax(axis=1)] for name, p in shares.items()}
    correct = {name: answer == labels for name, answer in answers.items()}
    scores = {
        name: report.scores(
            *(labels, shares[name], model.decision_function(X), classes, groups),
            *(knobs["resamples"], knobs["seed"], knobs["bins"]),
        )
        for name, model in models.items()
    }
    most_frequent = max(classes, key=lambda c: np.sum(rows["label"][rows["train"]] == c))
    figures = {
        "photos": len(test),
        "distinct": len(np.unique(groups)),
        "baseline_accuracy": np.mean(labels == most_frequent),
        **{name: {k: v for k, v in s.items() if k != "per_class"} for name, s in scores.items()},
        "svm_against_nb": report.mcnemar(correct["svm"], correct["nb"]),
    }
    write_json("metrics/evaluate.json", figures)
    write_tables(test, index, rows, shares, answers, scores, classes)
    draw(knobs, test, labels, shares, answers, correct, classes)
    s = scores["svm"]
    return (
        f"SVM {s['accuracy']:.4f} ({s['accuracy_low']:.4f} to {s['accuracy_high']:.4f}), "
        f"NB {scores['nb']['accuracy']:.4f}, baseline {figures['baseline_accuracy']:.4f}"
    )


def write_tables(test, index, rows, shares, answers, scores, classes):
    """One row per test photo, and one per model and class."""
    predictions = []
    for i, row in enumerate(test):
        line = {"row": row} | {key: index[key][row] for key in ("path", "sha256", "label")}
        line["group"] = rows["group"][row]
        for name in MODELS:
            line[name] = answers[name][i]
            line |= {
                f"{name}_{c}": f"{p:.6f}" for c, p in zip(classes, shares[name][i], strict=True)
            }
        predictions.append(line)
    write_csv("metrics/predictions.csv", predictions, tuple(predictions[0]))
    per_class = [
        {"model": name, "class": c} | rounded(figures)
        for name in MODELS
        for c, figures in scores[name]["per_class"].items()
    ]
    write_csv("metrics/per_class.csv", per_class, tuple(per_class[0]))


def draw(knobs, test, labels, shares, answers, correct, classes):
    """Charts as SVG for reading offline, and their numbers as CSV for dvc plots."""
    bins = {n: report.reliability(shares[n].max(axis=1), correct[n], knobs["bins"]) for n in MODELS}
    curves = {n: report.recall_curves(labels, shares[n], classes) for n in MODELS}
    pictures = {
        "confusion": charts.confusion(labels, answers, classes),
        "reliability": charts.reliability(bins),
        "recall": charts.recall(curves),
    }
    for name, text in pictures.items():
        with whole(f"plots/{name}.svg") as target:
            target.write_text(text)
    for name in MODELS:
        rows = rounded(bins[name])
        write_csv(f"plots/reliability_{name}.csv", rows, ("confidence", "accuracy", "photos"))
    recalls = sorted({row["recall"] for row in curves["svm"]})
    means = {
        n: [np.mean([row["precision"] for row in curves[n] if row["recall"] == r]) for r in recalls]
        for n in MODELS
    }
    rows = [
        rounded({"recall": r} | {n: means[n][i] for n in MODELS}) for i, r in enumerate(recalls)
    ]
    write_csv("plots/recall.csv", rows, ("recall", *MODELS))

    best = max(MODELS, key=lambda n: correct[n].sum())
    confidence = shares[best].max(axis=1)
    wrong = np.flatnonzero(~correct[best])
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][: knobs["worst"]]
    captions = [f"{labels[i]}: {answers[best][i]} {confidence[i]:.2f}" for i in worst]
    images = np.load("data/images.npy", mmap_mode="r")[test[worst]]
    with whole("plots/mistakes.jpg") as target:
        contact_sheet(images, captions, 8).save(target, "JPEG", quality=88)


if __name__ == "__main__":
    run("evaluate", main)
