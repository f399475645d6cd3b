"""Put the result on one page, to be read without a network; the last stage, after drift."""

from flowers.evaluation.report_page import page, picture
from flowers.tables import read_csv, read_json, table_rows, write_text
from stages._run import run

FACTS = (
    "metrics/drift.json",
    "metrics/evaluate.json",
    "metrics/fetch.json",
    "metrics/promotion.json",
    "metrics/split.json",
    "metrics/train_svm.json",
)
TABLES = ("metrics/per_class.csv", "metrics/suspects.csv", "plots/tuning.csv")
PICTURES = (
    "plots/confusion.svg",
    "plots/mistakes.jpg",
    "plots/recall.svg",
    "plots/reliability.svg",
    "plots/suspects.jpg",
    "plots/tuning.svg",
    "plots/twins.jpg",
)


def named(read, paths):
    """What is read from each file, by its name without folder and ending."""
    return {path.partition("/")[2].partition(".")[0]: read(path) for path in paths}


def main(knobs):
    told = {
        "features": knobs["flatten.features"],
        "resamples": knobs["evaluate.resamples"],
        "size": knobs["resize.size"],
        "twin_correlation": knobs["split.twin_correlation"],
    }
    tables = {name: table_rows(table) for name, table in named(read_csv, TABLES).items()}
    facts = named(read_json, FACTS) | {"knobs": told}
    text = page(facts, tables, named(picture, PICTURES))
    write_text("plots/report.html", text)
    return f"one page of {len(text) / 1e6:.1f} MB, to be opened in a browser from the disk"


if __name__ == "__main__":
    run("report", main)
