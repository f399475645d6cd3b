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


def open_training_features(augment):
    """Open the features of all images, and those of `augment` altered copies of each image."""
    X = np.load("data/features.npy", mmap_mode="r")
    if not augment:
        return [X]
    return [X, *np.load("data/augmented.npy", mmap_mode="r").reshape(augment, *X.shape)]
