"""Bring the photos here, one folder per class; what is no photo is listed and left out."""

from collections import Counter
from pathlib import Path

from flowers.environment import jobs
from flowers.errors import BadInput
from flowers.sources.files import NESTED, archive_files, drawn_files, fault, folder_files, place
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
    photos, rejected = Counter(), []
    with whole("data/photos") as target:
        for label, name, content in progress(files_of(knobs), desc="fetch", unit=" files"):
            reason = fault(label, content)
            if label:
                photos[label] += not reason
            if reason:
                rejected.append({"path": f"{label}/{name}" if label else name, "reason": reason})
            else:
                place(target / label, name).write_bytes(content)
        empty = sorted(label for label, count in photos.items() if not count)
        if empty or len(photos) < 2:
            inner = [f"; {row['path']}: {NESTED}" for row in rejected if row["reason"] == NESTED]
            told = f"classes {sorted(photos)}, without a photo {empty}: two are the least"
            raise BadInput(told + "".join(inner[:1]))
    reasons = Counter(row["reason"] for row in rejected)
    write_csv("metrics/fetch_rejected.csv", rejected, ("path", "reason"))
    write_json(
        "metrics/fetch.json",
        {
            "source": knobs["source"],
            "photos": photos.total(),
            "classes": dict(sorted(photos.items())),
            "rejected": {"total": len(rejected)} | dict(sorted(reasons.items())),
        },
    )
    return f"{photos.total()} photos of {len(photos)} classes, {len(rejected)} files set aside"


if __name__ == "__main__":
    run("fetch", main)
