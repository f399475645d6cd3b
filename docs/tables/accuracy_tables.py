"""What README.md and docs/accuracy.md say of real photos, from metrics/."""

from flowers.base.tables import read_json, write_text
from flowers.evaluation import charts
from study.repository import ROOT

FEATURES = {
    "pixels": "pixels",
    "pixels, C chosen": "pixels, C chosen on train",
    "hog-colour": "`hog` and `colour`",
    "fisher-small": "`fisher-small`",
    "learned": "`learned`",
}
SPLITS = {"random": "random", "grouped": "**twins together**"}


def _read(name):
    return read_json(ROOT / "metrics" / f"{name}.json")


def interval(model):
    """An accuracy with its interval, as text."""
    return f"{model['accuracy']:.3f} ({model['accuracy_low']:.3f} to {model['accuracy_high']:.3f})"


def result_sentence():
    """What the study found, in a few sentences."""
    real = _read("real")
    usual, best = real["seed-protocol"], real["learned"]
    total = usual["photos"] + usual["external_holdout"]["photos"]
    said = {
        "promise": usual["svm"]["accuracy"],
        "came": usual["external_holdout"]["accuracy"],
        "best": best["svm"]["accuracy"],
        "best_came": best["external_holdout"]["accuracy"],
    }
    promise, came, fair, truth = (f"**{100 * share:.0f} %**" for share in said.values())
    return (
        f"On {total:,} real photos the usual protocol, raw pixels and a random split, promises "
        f"{promise}\naccuracy; on pictures that were set aside before, the same model is right "
        f"on {came}.\nClassical features learned from the photos, with all copies of a picture on "
        f"one side of the\nsplit, promise {fair}, and {truth} come."
    )


def real_table():
    """Real photos: one row per protocol, the promise beside what came."""
    rows = [
        "| features | split | test twins in train | promised (95 %) | came on photos set aside "
        "(95 %) | ms a photo | model MB |",
        "|---|---|---|---|---|---|---|",
    ]
    real = _read("real")
    for result in real.values():
        cells = (
            FEATURES[result["recipe"]],
            SPLITS[result["strategy"]],
            f"{100 * result['leakage']:.0f} %",
            interval(result["svm"]),
            interval(result["external_holdout"]),
            f"{result['ms_per_photo']:.0f}",
            f"{result['model_mb']:.1f}",
        )
        rows.append(f"| {' | '.join(cells)} |")
    some = next(iter(real.values()))
    return "\n".join(
        [
            *rows,
            "",
            f"{some['photos']:,} photos, {some['distinct']:,} of them distinct; "
            f"{some['aside']['photos']} more were set aside.",
        ]
    )


def models_table():
    """Real photos: both models under each protocol."""
    rows = [
        "| features | split | SVM (95 %) | log loss | calibration error | naive Bayes (95 %) |",
        "|---|---|---|---|---|---|",
    ]
    for result in _read("real").values():
        svm = result["svm"]
        cells = (
            FEATURES[result["recipe"]],
            SPLITS[result["strategy"]],
            interval(svm),
            f"{svm['log_loss']:.3f}",
            f"{svm['calibration_error']:.3f}",
            interval(result["nb"]),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def tuning_sentence():
    """What choosing C on random folds promises, and what it is worth; draws the picture of it."""
    rows = _read("real")["tuned"]["tuning"]
    write_text(ROOT / "docs" / "tuning.svg", charts.plot_tuning(rows))
    leaky, honest = (max(rows, key=lambda row: float(row[kind])) for kind in ("random", "grouped"))
    return (
        f"Folds of the training photos drawn at random would choose C = {float(leaky['C']):g} and "
        f"promise an\naccuracy of {float(leaky['random']):.2f}; with twins kept together the same "
        f"C is right on {float(leaky['grouped']):.2f}, and no C on more\nthan "
        f"{float(honest['grouped']):.2f}.\n\n"
        "![Accuracy against C, on random folds and on folds that keep twins together]"
        "(docs/tuning.svg)"
    )


def folds_table():
    """Learned features on grouped folds over all photos."""
    rows = [
        "| features | accuracy, mean of folds | deviation of a fold | features of a photo, ms |",
        "|---|---|---|---|",
    ]
    folds = _read("folds")
    for recipe, found in folds.items():
        rows.append(
            f"| {FEATURES[recipe]} | {found['accuracy']:.3f} | {found['deviation']:.3f} "
            f"| {found['ms_per_photo']:.0f} |"
        )
    photos = f"{found['photos']:,} photos, {found['distinct']:,} distinct, 5 folds."
    return "\n".join([*rows, "", photos])


def ablation_table():
    """Features by machine by mirror images."""
    found = _read("ablation")
    columns = list(dict.fromkeys((row["machine"], row["mirror"]) for row in found))
    titles = [f"{m}{', mirror images too' if mirror else ''}" for m, mirror in columns]
    rows = [f"| features | {' | '.join(titles)} |", "|---" * (len(columns) + 1) + "|"]
    for features in dict.fromkeys(row["features"] for row in found):
        of = {
            (row["machine"], row["mirror"]): row["out_of_fold_accuracy"]
            for row in found
            if row["features"] == features
        }
        cells = [f"{of[column]:.3f}" for column in columns]
        rows.append(f"| {FEATURES[features]} | {' | '.join(cells)} |")
    return "\n".join(rows)


TABLES = {
    "result": result_sentence,
    "real": real_table,
    "tuning": tuning_sentence,
    "real-models": models_table,
    "folds": folds_table,
    "ablation": ablation_table,
}
