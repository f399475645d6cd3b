"""Write what README.md and docs/accuracy.md take from runs, between markers that name it."""

import json
import re
import subprocess
import sys

from benchmarks import twin_tables
from benchmarks.clean_copy import ROOT
from flowers.evaluation import charts
from flowers.tables import write_text

PAGES = (ROOT / "README.md", ROOT / "docs" / "accuracy.md")
SHOWN = ROOT / "docs" / "shown"
PROTOCOLS = {
    "seed-protocol": "random split, pixels: the usual protocol",
    "honest": "**twins kept together, pixels**",
    "honest-features": "twins kept together, `hog` and `colour`",
    "tuned": "twins kept together, pixels, C chosen on train",
}


def read(name):
    return json.loads((ROOT / "metrics" / f"{name}.json").read_text())


def interval(model):
    return f"{model['accuracy']:.3f} ({model['accuracy_low']:.3f} to {model['accuracy_high']:.3f})"


def result_sentence():
    """What the study found, in one sentence."""
    real, drawn = read("real"), read("evaluate")
    usual, fair = (100 * real[name]["svm"]["accuracy"] for name in ("seed-protocol", "honest"))
    return (
        f"On {real['honest']['photos']:,} real photos the usual random split promises "
        f"**{usual:.0f} %** accuracy. With copies of\none picture kept on one side the same model "
        f"is right on **{fair:.0f} %**. On the drawn photos below,\nwhich come with this "
        f"repository, it is right on {100 * drawn['svm']['accuracy']:.0f} %."
    )


def kept(name):
    """A function that gives what `benchmarks.shown` kept under a name, as a block, or nothing."""

    def block():
        path = SHOWN / f"{name}.txt"
        return f"```text\n{path.read_text()}```" if path.exists() else ""

    return block


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


def tuning_sentence():
    """What choosing C on random folds promises, and what it is worth; draws the picture of it."""
    rows = read("real").get("tuned", {}).get("tuning")
    if not rows:
        return ""
    write_text(ROOT / "docs" / "tuning.svg", charts.tuning(rows))
    leaky, honest = (max(rows, key=lambda row: float(row[kind])) for kind in ("random", "grouped"))
    return (
        f"Folds of the training photos drawn at random would choose C = {float(leaky['C']):g} and "
        f"promise an\naccuracy of {float(leaky['random']):.2f}; with twins kept together the same "
        f"C is right on {float(leaky['grouped']):.2f}, and no C on more\nthan "
        f"{float(honest['grouped']):.2f}.\n\n"
        "![Accuracy against C, on random folds and on folds that keep twins together]"
        "(docs/tuning.svg)"
    )


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


def stages_sentence():
    """Wall time of all stages and the most memory of one."""
    measured = json.loads((ROOT / "benchmarks" / "stages.json").read_text())
    said = []
    for photos, stages in measured.items():
        wall = sum(stage["wall_s"] for stage in stages.values())
        name, most = max(stages.items(), key=lambda item: item[1]["peak_mb"])
        said.append(
            f"{int(photos):,} drawn photos take {wall:.0f} s, and {most['peak_mb']} MB in the "
            f"hungriest stage, `{name}`"
        )
    return "On two cores, " + ";\n".join(said) + ".\n`benchmarks/stages.json` has each stage."


def graph():
    """The stages and what they feed, as DVC sees them."""
    command = [sys.executable, "-m", "dvc", "dag", "--mermaid"]
    drawn = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r'(node\d+)\["(\w+)"\]', drawn))
    fed = {name: [] for name in names.values()}
    for source, target in re.findall(r"(node\d+)-->(node\d+)", drawn):
        fed[names[source]].append(names[target])
    lines = [f"  {name} --> {' & '.join(targets)}" for name, targets in fed.items() if targets]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


TABLES = {
    "result": result_sentence,
    "real": real_table,
    "tuning": tuning_sentence,
    "drawn": drawn_table,
    "stages": stages_sentence,
    "graph": graph,
    **{name: kept(name) for name in ("repro", "test", "diff", "curl")},
    **twin_tables.TABLES,
}


def rendered(text):
    """`text` with the tables between its markers written anew."""
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}{t()}\n{m[2]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(rendered(page.read_text()))
