"""Audit a data set of images for leakage, copies and wrong labels: python -m study.audit SOURCE.

The functions of the stages fetch, resize and split run in a folder of their own, with the
parameters of params.yaml. Writes audit/audit.html, one page that needs no network, and
audit/audit.json. Nothing else in the repository changes.
"""

import os
import tempfile
from contextlib import chdir
from functools import partial
from pathlib import Path

import numpy as np

from flowers.base.environment import read_backend, read_jobs
from flowers.base.errors import BadInput
from flowers.base.parallel import pooled_map, use_workers
from flowers.base.tables import write_csv, write_json, write_text
from flowers.duplicates import search
from flowers.evaluation.report_page import embed_image, render_page
from flowers.images.contact_sheet import draw_contact_sheet
from flowers.images.index import load_image, write_images
from flowers.sources.downloads import fetch_file
from flowers.sources.files import collect_photos, iterate_archive, iterate_folder
from flowers.sources.review import Review
from flowers.splits import align_parts
from scoring import cli
from stages.support.files import show_progress
from stages.support.run import check_params, exit_with_one_line, read_yaml
from study import audit_figures
from study.photos import get_thresholds
from study.repository import ROOT

SHEET_SIZE = 16  # pairs on a contact sheet
COLUMNS = 4  # of a contact sheet, so that captions are readable on a phone
LISTED = 50  # rows of a list on the page; audit.json has all
TEMPLATE = Path(__file__).with_name("audit_page.html")


def number_files(files, places):
    """Yield files under their numbers, so that none is renamed.

    `places` gets the path in the source of each: a photo of the same name may be in train and test.
    """
    for k, file in enumerate(files):
        if file.label is None:
            yield file
        else:
            places[f"{file.label}/{k:06}"] = file.place
            yield file._replace(name=f"{k:06}")


def open_source(source, work, ignore):
    """Yield the files of a folder, an archive or a URL; see `flowers.sources.files`."""
    bar = partial(show_progress, None, unit="B", unit_scale=True)
    path = fetch_file(source, work / "downloads", bar=bar)
    if path.is_dir():
        return iterate_folder(path, ignore)
    return iterate_archive(str(path), work / "downloads", ignore=ignore, bar=bar)


def fetch_photos(source, work, ignore):
    """Collect the photos of a source in `work`, as the stage fetch without a review.

    Returns
    -------
    places : dict of str to str
        Path in the source, by path in the folder photos.
    photos, rejected : list of dict
        See `flowers.sources.files.collect_photos`; the path of a rejected file is that in the
        source.
    """
    places = {}
    write_csv(work / "review.csv", [], ("sha256", "label"))
    review = Review(work / "review.csv", work / "review.csv")
    files = number_files(open_source(source, work, ignore), places)
    files = show_progress(files, desc="fetch", unit=" files")
    photos, rejected, _ = collect_photos(files, work / "photos", review)
    rejected = [row | {"path": places.get(row["path"], row["path"])} for row in rejected]
    return places, photos, rejected


def resize_photos(work, size):
    """Decode the photos in `work`, as the stage resize.

    Returns
    -------
    images : ndarray of shape (n, size, size, 3), uint8
        Mapped into memory.
    index, rejected : list of dict
        See `flowers.images.index.write_images`.
    """
    paths = sorted(work.glob("photos/*/*"), key=Path.as_posix)
    results = pooled_map(partial(load_image, size=size), paths, read_jobs(), read_backend())
    results = show_progress(results, total=len(paths), desc="resize", unit=" photos")
    with (work / "images.npy").open("wb") as file:
        index, rejected, _ = write_images(results, file, size)
    return np.load(work / "images.npy", mmap_mode="r"), index, rejected


def find_matches(images, params, work):
    """Search for near-duplicates, as the stage split."""
    thresholds = get_thresholds(params)
    bar = partial(show_progress, desc="split", unit=" blocks")
    with use_workers(read_jobs(), read_backend(), work):
        return search.find_near_duplicates(images, thresholds, bar)


def draw_sheets(work, images, matches, test, labels, parts):
    """Draw contact sheets of pairs; return data URIs by name, without those that have no pair."""
    places = np.array([f"{p} {c}".strip() for p, c in zip(parts, labels, strict=True)])
    kinds = {
        "leaked": (lambda a, b: test[a] != test[b], places),
        "conflicts": (lambda a, b: labels[a] != labels[b], labels),
        "others": (lambda a, b: (test[a] == test[b]) & (labels[a] == labels[b]), labels),
    }
    sheets = {}
    for name, (chosen, captions) in kinds.items():
        pairs = audit_figures.select_pairs(matches, chosen)
        rows, captions = search.select_examples(pairs, captions, SHEET_SIZE)
        if len(rows):
            path = work / f"{name}.jpg"
            draw_contact_sheet(images[rows], captions, COLUMNS).save(path, quality=88)
            sheets[name] = embed_image(path)
    return sheets


def audit_photos(source, work, params, ignore=()):
    """Audit the photos of a source in the folder `work`; return figures and contact sheets."""
    places, photos, rejected = fetch_photos(source, work, ignore)
    print(f"audit: fetch: {len(photos)} photos, {len(rejected)} files rejected", flush=True)
    images, index, unreadable = resize_photos(work, params["resize"]["size"])
    print(f"audit: resize: {len(index)} photos, {len(unreadable)} rejected", flush=True)
    matches = find_matches(images, params["split"], work)
    groups = search.group_pairs(search.merge_pairs(matches), len(index))
    columns = {key: np.array([row[key] for row in index]) for key in ("label", "path", "sha256")}
    labels = columns["label"]
    table = {key: np.array([photo[key] for photo in photos]) for key in ("path", "part")}
    parts = align_parts(columns["path"], table)
    names = np.array([places[path] for path in columns["path"]])
    for row in unreadable:
        reason = ": ".join(filter(None, (row["reason"], row["detail"])))
        rejected.append({"path": places[row["path"]], "reason": reason})
    splits, test = audit_figures.measure_splits(labels, groups, parts, params["split"])
    figures = {
        "source": str(source),
        "photos": len(index),
        "distinct": int(groups.max()) + 1,
        "classes": audit_figures.summarise_classes(labels, parts),
        "splits": splits,
        "between_parts": audit_figures.count_between_parts(groups, parts),
        "exact_copies": audit_figures.summarise_copies(columns["sha256"], labels, parts),
        "near_duplicates": audit_figures.summarise_pairs(matches, groups, labels, parts),
        "rejected": rejected,
        "leaked": audit_figures.list_leaked(matches, groups, test, names),
        "conflicts": audit_figures.list_conflicts(groups, labels, names),
        "copies": [p.tolist() for p in audit_figures.list_members(columns["sha256"], names)],
    }
    return figures, draw_sheets(work, images, matches, test, labels, parts)


def describe_audit(figures):
    """Yield the result in a few lines."""
    copies = figures["exact_copies"]
    yield f"{figures['photos']} photos of {len(figures['classes'])} classes, " + (
        f"{figures['distinct']} distinct; {len(figures['rejected'])} files rejected"
    )
    yield f"exact copies: {copies['photos']} photos show {copies['pictures']} pictures"
    yield f"conflicting labels: {len(figures['conflicts'])} groups of near-duplicates"
    kinds = {"given": "the split of the data set", "random": "a random split"}
    for kind, name in kinds.items():
        if split := figures["splits"][kind]:
            yield (
                f"{name}: {split['leaked_test_photos']} of {split['test']} test photos "
                f"({100 * split['share']:.1f} %) have a near-duplicate in train"
            )


def run_audit(source, folder, ignore=()):
    """Audit a source and write audit.html and audit.json to `folder`."""
    with chdir(ROOT):
        params = read_yaml("params.yaml")
        check_params(params)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=folder) as work:
        figures, sheets = audit_photos(source, Path(work), params, ignore)
    write_json(folder / "audit.json", figures)
    page = render_page(TEMPLATE, **figures, images=sheets, params=params, listed=LISTED)
    write_text(folder / "audit.html", page)
    for line in describe_audit(figures):
        print(f"audit: {line}")
    here = Path(os.path.relpath(folder))
    print(f"audit: open {here / 'audit.html'} in a browser; {here / 'audit.json'} has all lists")


def main(source, folder=None, ignore=()):
    """Audit a source; a failure ends the process with one line and exit code 1."""
    with exit_with_one_line("audit"):
        try:
            run_audit(source, Path(folder or ROOT / "audit").resolve(), ignore)
        except BadInput as error:
            option = "--ignore (make audit: IGNORE)"
            raise BadInput(str(error).replace("fetch.ignore", option)) from error


if __name__ == "__main__":
    cli.run(cli.audit, "study.audit")
