"""What several stages read and write in the same way."""

import numpy as np
from tqdm import tqdm

from flowers.photos.contact_sheet import contact_sheet
from flowers.tables import read_csv, whole


def progress(items, **options):
    """A progress bar where a person watches, nothing in a log file."""
    return tqdm(items, disable=None, leave=False, **options)


def load_rows():
    """The rows of data/split.csv: groups as numbers, ``train`` as a mask."""
    rows = read_csv("data/split.csv")
    return rows | {"group": rows["group"].astype(int), "train": rows["part"] == "train"}


def stacked(sources, rows):
    """The same rows of several arrays below one another, without a copy on the way."""
    shape = (len(sources) * len(rows), sources[0].shape[1])
    X = np.empty(shape, sources[0].dtype)
    for k, source in enumerate(sources):
        np.take(source, rows, axis=0, out=X[k * len(rows) : (k + 1) * len(rows)], mode="clip")
    return X


def write_sheet(path, images, captions):
    """A contact sheet as JPEG."""
    with whole(path) as partial:
        contact_sheet(images, captions).save(partial, "JPEG", quality=88)
