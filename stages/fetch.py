"""Collect the photos of a source, one folder per class; rejected files are listed."""

from contextlib import contextmanager
from functools import partial
from pathlib import Path

from flowers.base.environment import read_jobs
from flowers.base.errors import BadInput
from flowers.base.tables import atomic_write, write_csv, write_json
from flowers.sources.choice import open_source
from flowers.sources.files import collect_photos, summarise_photos
from flowers.sources.review import Review
from stages.support.files import show_progress
from stages.support.run import run_stage


@contextmanager
def suggest_checkout():
    """DVC deletes the photos before it starts this stage, and keeps them in its cache."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{error}; dvc checkout restores the photos of the last run") from error


def main(params):
    review = Review("review/exclude.csv", "review/relabel.csv")
    bar = partial(show_progress, None, unit="B", unit_scale=True)
    with suggest_checkout(), atomic_write("data/photos") as target:
        files, count = open_source(params, Path("data/downloads"), read_jobs(), bar)
        files = show_progress(files, desc="fetch", unit=" files", total=count)
        photos, rejected, reviewed = collect_photos(files, target, review)
    figures = {"source": params["source"]} | summarise_photos(photos, rejected) | reviewed
    write_csv("data/parts.csv", [photo for photo in photos if photo["part"]], ("path", "part"))
    write_csv("metrics/fetch_rejected.csv", rejected, ("path", "reason"))
    write_json("metrics/fetch.json", figures)
    classes = len(figures["classes"])
    return f"{len(photos)} photos of {classes} classes, {len(rejected)} files rejected"


if __name__ == "__main__":
    run_stage("fetch", main)
