"""Real photos as bytes, and their near-duplicate groups."""

from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

from flowers.base.errors import RejectedImage
from flowers.duplicates.search import SIGNALS, find_near_duplicates, group_pairs, merge_pairs
from flowers.images.decoding import decode_image, load_pixels
from flowers.sources.files import iterate_archive, iterate_folder
from stages.support.run import read_yaml
from study.repository import ROOT

DOWNLOADS = ROOT / "data" / "downloads"


def read_photos(source):
    """Read the photos of an archive or a folder that can be decoded.

    Returns
    -------
    labels : ndarray of shape (n,), str
    photos : list of bytes
    """
    if Path(source).is_dir():
        files = iterate_folder(source)
    else:
        files = iterate_archive(str(source), DOWNLOADS)
    labels = []
    photos = []
    for label, _, content, *_ in tqdm(files, desc="photos", unit=" files", disable=None):
        try:
            decode_image(content or b"")
        except RejectedImage:
            continue
        labels.append(label)
        photos.append(content)
    return np.array(labels), photos


def decode_photos(photos, size=128):
    """Decode photos in threads.

    Returns
    -------
    images : ndarray of shape (n, size, size, 3), uint8
    sizes : ndarray of shape (n, 2), int
        Original widths and heights.
    """
    tasks = (joblib.delayed(load_pixels)(photo, size) for photo in photos)
    images, sizes, _ = zip(*joblib.Parallel(-1, prefer="threads")(tasks), strict=True)
    return np.stack(images), np.array(sizes)


def get_thresholds(split):
    """Return the thresholds of the near-duplicate search in the section split, by signal."""
    return {signal: split[f"near_duplicate_{signal}"] for signal in SIGNALS}


def read_thresholds():
    """Read the thresholds of the near-duplicate search in params.yaml, by signal."""
    return get_thresholds(read_yaml(ROOT / "params.yaml")["split"])


def find_groups(photos):
    """Near-duplicate group of each photo, ndarray of shape (n,)."""
    images, _ = decode_photos(photos)
    return group_pairs(merge_pairs(find_near_duplicates(images, read_thresholds())), len(photos))
