"""Bring the photos here, one folder per class; what is no photo is listed and left out."""

from collections import Counter
from pathlib import Path

from flowers.environment import jobs
from flowers.errors import BadInput
from flowers.sources.files import archive_files, drawn_files, fault, folder_files, place
from flowers.sources.review import Review
from flowers.tables import whole, write_csv, write_json
from stages._files import progress
from stages._run import run


def files_of(knobs):
    if knobs["source"] == "archive":
        return archive_files(knobs["path"], Path("data/downloads"), knobs["sha256"])
    if knobs["source"] == "folder":
        return folder_files(knobs["path"])
    return drawn_files(
        knobs["per_class"], knobs["twin_share"], knobs["conflicts"], knobs["seed"], jobs()
    )


def main(knobs):
    review = Review(knobs["exclude"], knobs["relabel"])
    photos, classes, rejected = Counter(), set(), []
    with whole("data/photos") as target:
        for label, name, content in progress(files_of(knobs), desc="fetch", unit=" files"):
            classes |= {label} - {None}
            if reason := fault(label, content):
                rejected.append({"path": f"{label}/{name}" if label else name, "reason": reason})
            elif kept := review.label_of(label, content):
                photos[kept] += 1
                place(target / kept, name).write_bytes(content)
        reviewed = review.figures(classes)
        empty = sorted(classes - photos.keys())
        if empty or len(photos) < 2:
            raise BadInput(f"classes {sorted(classes)}, without a photo {empty}: two are the least")
    reasons = Counter(row["reason"] for row in rejected)
    told = {"source": knobs["source"], "photos": photos.total()}
    told |= {"classes": dict(sorted(photos.items()))} | reviewed
    told["rejected"] = {"total": len(rejected)} | dict(sorted(reasons.items()))
    write_csv("metrics/fetch_rejected.csv", rejected, ("path", "reason"))
    write_json("metrics/fetch.json", told)
    return f"{photos.total()} photos of {len(photos)} classes, {len(rejected)} files set aside"


if __name__ == "__main__":
    run("fetch", main)
