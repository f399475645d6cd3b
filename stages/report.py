"""Write the report page: the results of the run in one file that opens in a browser."""

from flowers.base.tables import read_csv, read_json, to_rows, write_text
from flowers.evaluation.report_page import embed_image, render_report
from stages.support.run import run_stage

FIGURES = (
    "metrics/evaluate.json",
    "metrics/fetch.json",
    "metrics/promotion.json",
    "metrics/split.json",
    "metrics/train_svm.json",
)
TABLES = ("metrics/per_class.csv", "metrics/label_issues.csv", "plots/tuning.csv")
IMAGES = (
    "plots/confusion.svg",
    "plots/confident_errors.jpg",
    "plots/recall.svg",
    "plots/reliability.svg",
    "plots/label_issues.jpg",
    "plots/tuning.svg",
    "plots/near_duplicates.jpg",
)


def read_files(read, paths):
    """Read each file; the keys are the names without folder and suffix."""
    return {path.partition("/")[2].partition(".")[0]: read(path) for path in paths}


def main(params):
    figures = read_files(read_json, FIGURES)
    figures["params"] = {
        "title": params["study.title"],
        "kernel": params["train_svm.kernel"],
        "features": params["flatten.features"],
        "resamples": params["evaluate.resamples"],
        "size": params["resize.size"],
        "near_duplicate_colour": params["split.near_duplicate_colour"],
    }
    tables = read_files(lambda path: to_rows(read_csv(path, escaped=True)), TABLES)
    page = render_report(figures, tables, read_files(embed_image, IMAGES))
    write_text("plots/report.html", page)
    return f"{len(page) / 1e6:.1f} MB; open plots/report.html in a browser"


if __name__ == "__main__":
    run_stage("report", main)
