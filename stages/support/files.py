"""Files that several stages read, and their progress bar."""

import numpy as np
from tqdm import tqdm

from flowers.base.tables import read_csv


def show_progress(items, **options):
    """Show a progress bar in a terminal after a second, nothing in a log file."""
    return tqdm(items, **{"disable": None, "leave": False, "delay": 1} | options)


def load_split():
    """Read data/split.csv: columns by name, groups as numbers, ``train`` and ``leaked`` as masks.

    A leaked image is a test image with a near-duplicate in train.
    """
    rows = read_csv("data/split.csv")
    group = rows["group"].astype(int)
    train = rows["part"] == "train"
    return rows | {"group": group, "train": train, "leaked": ~train & np.isin(group, group[train])}
