"""Write what README.md and pages of docs take from runs, between markers that name it."""

import json
import re
import subprocess
import sys

from benchmarks import (
    dvc_costs,
    folder,
    growth,
    near_duplicate_race,
    near_duplicate_scale,
    race,
    solvers,
)
from docs.tables import accuracy_tables, alarm_tables, serve_tables, twin_tables
from docs.tables.accuracy_tables import interval
from study.repository import ROOT

DOCS = ("accuracy", "drift", "scale", "serving", "decisions/together")
PAGES = (ROOT / "README.md", *(ROOT / f"docs/{name}.md" for name in DOCS))
SHOWN = ROOT / "docs" / "shown"


def read(name):
    return json.loads((ROOT / "metrics" / f"{name}.json").read_text())


def kept(name):
    """A function that gives what `study.shown` kept under a name, as a block, or nothing."""

    def block():
        path = SHOWN / f"{name}.txt"
        return f"```text\n{path.read_text()}```" if path.exists() else ""

    return block


def measured(benchmark):
    """A function that gives the table of what a benchmark wrote down, or nothing."""

    def block():
        path = benchmark.RESULTS
        return benchmark.table(json.loads(path.read_text())) if path.exists() else ""

    return block


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
        which = f"{int(photos):,} drawn" if photos.isdigit() else "5,000 real, mostly altered,"
        said.append(
            f"{which} photos take {wall:.0f} s, and {most['peak_mb']} MB in the "
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
    "synthetic": drawn_table,
    "stages": stages_sentence,
    "graph": graph,
    **{name: kept(name) for name in ("repro", "test", "diff", "curl")},
    **{"race": measured(race), "growth": measured(growth), "dvc": measured(dvc_costs)},
    **{"solvers": measured(solvers), "twin-race": measured(near_duplicate_race)},
    **{"folder": measured(folder), "twin-scale": measured(near_duplicate_scale)},
    **accuracy_tables.TABLES,
    **twin_tables.TABLES,
    **serve_tables.TABLES,
    "alarms": alarm_tables.tables,
}


def rendered(text):
    """`text` with the tables between its markers written anew."""
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
        if re.search(pattern, text, flags=re.DOTALL):
            block = f"{table()}\n".lstrip("\n")  # nothing, where nothing was measured yet
            text = re.sub(pattern, lambda m, b=block: m[1] + b + m[2], text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(rendered(page.read_text()))
