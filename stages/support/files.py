"""Files that several stages read, and their progress bar."""

import numpy as np
from tqdm import tqdm

from flowers.base.tables import read_csv


def show_progress(items, **options):
    """Show a progress bar in a terminal after a second, nothing in a log file."""
    return tqdm(items, **{"disable": None, "leave": False, "delay": 1} | options)


def load_split():
    """Read data/split.csv: columns by name, groups as numbers and ``train`` as a mask."""
    rows = read_csv("data/split.csv")
    return rows | {"group": rows["group"].astype(int), "train": rows["part"] == "train"}


def open_training_features(train):
    """Open the features of the rows `train` and of the altered copies of these images.

    Returns
    -------
    sources : list of (ndarray, ndarray of int)
        Features, memory-mapped, and the rows to take from them.
    numbers : ndarray of int
        The image of each training row; those of `train` come first.
    """
    X, copies = (np.load(f"data/{n}.npy", mmap_mode="r") for n in ("features", "augmented"))
    numbers = np.tile(train, 1 + len(copies) // len(train))
    return [(X, train), (copies, np.arange(len(copies)))], numbers
