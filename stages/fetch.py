"""Bring the photos here, one folder per class; what is no photo is listed and left out."""

from collections import Counter
from functools import partial
from pathlib import Path

from flowers.environment import jobs
from flowers.sources.files import archive_files, collect, drawn_files, folder_files
from flowers.sources.review import Review
from flowers.tables import whole, write_csv, write_json
from stages._files import progress
from stages._run import run


def files_of(knobs):
    if knobs["source"] == "archive":
        bar = partial(progress, None, unit="B", unit_scale=True)
        return archive_files(knobs["path"], Path("data/downloads"), knobs["sha256"], bar)
    if knobs["source"] == "folder":
        return folder_files(knobs["path"])
    return drawn_files(
        knobs["per_class"], knobs["twin_share"], knobs["conflicts"], knobs["seed"], jobs()
    )


def main(knobs):
    review = Review(knobs["exclude"], knobs["relabel"])
    with whole("data/photos") as target:
        files = progress(files_of(knobs), desc="fetch", unit=" files")
        photos, rejected, reviewed = collect(files, target, review)
    reasons = Counter(row["reason"] for row in rejected)
    told = {"source": knobs["source"], "photos": photos.total()}
    told |= {"classes": dict(sorted(photos.items()))} | reviewed
    told["rejected"] = {"total": len(rejected)} | dict(sorted(reasons.items()))
    write_csv("metrics/fetch_rejected.csv", rejected, ("path", "reason"))
    write_json("metrics/fetch.json", told)
    return f"{photos.total()} photos of {len(photos)} classes, {len(rejected)} files set aside"


if __name__ == "__main__":
    run("fetch", main)
