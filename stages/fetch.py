"""Collect the photos of a source, one folder per class; rejected files are listed."""

from collections import Counter
from functools import partial
from pathlib import Path

from flowers.base.environment import read_jobs
from flowers.base.tables import atomic_write, write_csv, write_json
from flowers.sources.files import collect_photos, iterate_archive, iterate_folder, iterate_synthetic
from flowers.sources.review import Review
from stages.support.files import show_progress
from stages.support.run import run_stage


def open_source(params):
    if params["source"] == "archive":
        bar = partial(show_progress, None, unit="B", unit_scale=True)
        return iterate_archive(params["path"], Path("data/downloads"), params["sha256"], bar)
    if params["source"] == "folder":
        return iterate_folder(params["path"])
    return iterate_synthetic(
        params["per_class"],
        params["near_duplicate_share"],
        params["wrong_labels"],
        params["seed"],
        read_jobs(),
    )


def main(params):
    review = Review(params["exclude"], params["relabel"])
    with atomic_write("data/photos") as target:
        files = show_progress(open_source(params), desc="fetch", unit=" files")
        photos, rejected, reviewed = collect_photos(files, target, review)
    reasons = Counter(row["reason"] for row in rejected)
    figures = {
        "source": params["source"],
        "photos": photos.total(),
        "classes": dict(sorted(photos.items())),
        **reviewed,
        "rejected": {"total": len(rejected)} | dict(sorted(reasons.items())),
    }
    write_csv("metrics/fetch_rejected.csv", rejected, ("path", "reason"))
    write_json("metrics/fetch.json", figures)
    return f"{photos.total()} photos of {len(photos)} classes, {len(rejected)} files rejected"


if __name__ == "__main__":
    run_stage("fetch", main)
