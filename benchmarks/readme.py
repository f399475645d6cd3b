"""Write the tables of README.md from metrics/, between the markers that name them."""

import json
import re

from benchmarks.clean_copy import ROOT

README = ROOT / "README.md"
PROTOCOLS = {
    "seed-protocol": "random split, pixels: the usual protocol",
    "honest": "**twins kept together, pixels**",
    "honest-features": "twins kept together, `hog` and `colour`",
}


def read(name):
    return json.loads((ROOT / "metrics" / f"{name}.json").read_text())


def interval(model):
    return f"{model['accuracy']:.3f} ({model['accuracy_low']:.3f} to {model['accuracy_high']:.3f})"


def real_table():
    """Real photos: one row per protocol."""
    rows = [
        "| protocol | test twins in train | SVM accuracy (95 %) | NB accuracy (95 %) |",
        "|---|---|---|---|",
    ]
    for name, result in read("real").items():
        share = f"{100 * result['twin_in_train_share']:.0f} %"
        cells = (PROTOCOLS[name], share, interval(result["svm"]), interval(result["nb"]))
        rows.append(f"| {' | '.join(cells)} |")
    photos = f"{result['photos']:,} photos, {result['distinct']:,} of them distinct."
    return "\n".join([*rows, "", photos])


def drawn_table():
    """Drawn photos: one row per model."""
    evaluate = read("evaluate")
    rows = [
        "| model | accuracy (95 %) | macro F1 | log loss | calibration error |",
        "|---|---|---|---|---|",
    ]
    for name, title in {"svm": "SVM, RBF", "nb": "Gaussian naive Bayes"}.items():
        m = evaluate[name]
        rows.append(
            f"| {title} | {interval(m)} | {m['macro_f1']:.3f} | {m['log_loss']:.3f} "
            f"| {m['calibration_error']:.3f} |"
        )
    rows.append(f"| most frequent class | {evaluate['baseline_accuracy']:.3f} | | | |")
    return "\n".join(rows)


def stages_table():
    """Wall time and peak memory of each stage."""
    measured = json.loads((ROOT / "benchmarks" / "stages.json").read_text())
    counts = list(measured)
    rows = [
        "| stage | " + " | ".join(f"{int(n):,} photos" for n in counts) + " |",
        "|---" * (1 + len(counts)) + "|",
    ]
    for stage in measured[counts[0]]:
        cells = [
            f"{measured[n][stage]['wall_s']:.0f} s, {measured[n][stage]['peak_mb']} MB"
            for n in counts
        ]
        rows.append(f"| {stage} | {' | '.join(cells)} |")
    sums = [
        f"{sum(s['wall_s'] for s in m.values()):.0f} s, {max(s['peak_mb'] for s in m.values())} MB"
        for m in measured.values()
    ]
    rows.append(f"| all, one after the other | {' | '.join(sums)} |")
    return "\n".join(rows)


TABLES = {"real": real_table, "drawn": drawn_table, "stages": stages_table}


def rendered(text):
    """`text` with the tables between its markers written anew."""
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}{t()}\n{m[2]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    README.write_text(rendered(README.read_text()))
