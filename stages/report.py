"""Put the result on one page, to be read without a network; the last stage, after drift."""

from flowers.base.tables import read_csv, read_json, to_rows, write_text
from flowers.evaluation.report_page import embed_image, render_report
from stages.support.run import run_stage

FACTS = (
    "metrics/drift.json",
    "metrics/evaluate.json",
    "metrics/fetch.json",
    "metrics/promotion.json",
    "metrics/split.json",
    "metrics/train_svm.json",
)
TABLES = ("metrics/per_class.csv", "metrics/label_issues.csv", "plots/tuning.csv")
PICTURES = (
    "plots/confusion.svg",
    "plots/confident_errors.jpg",
    "plots/recall.svg",
    "plots/reliability.svg",
    "plots/label_issues.jpg",
    "plots/tuning.svg",
    "plots/near_duplicates.jpg",
)


def named(read, paths):
    """What is read from each file, by its name without folder and ending."""
    return {path.partition("/")[2].partition(".")[0]: read(path) for path in paths}


def main(params):
    told = {
        "features": params["flatten.features"],
        "resamples": params["evaluate.resamples"],
        "size": params["resize.size"],
        "near_duplicate_colour": params["split.near_duplicate_colour"],
    }
    tables = {name: to_rows(table) for name, table in named(read_csv, TABLES).items()}
    facts = named(read_json, FACTS) | {"params": told}
    text = render_report(facts, tables, named(embed_image, PICTURES))
    write_text("plots/report.html", text)
    return f"one page of {len(text) / 1e6:.1f} MB, to be opened in a browser from the disk"


if __name__ == "__main__":
    run_stage("report", main)
