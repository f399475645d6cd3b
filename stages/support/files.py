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


def open_training_features(mirror):
    """Open the features and, with `mirror`, those of the mirror images, of the same groups."""
    names = ["features", "mirrored"] if mirror else ["features"]
    return [np.load(f"data/{name}.npy", mmap_mode="r") for name in names]
