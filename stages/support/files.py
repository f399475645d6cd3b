"""Files that several stages read, and their progress bar."""

from tqdm import tqdm

from flowers.base.tables import read_csv


def show_progress(items, **options):
    """Show a progress bar in a terminal, nothing in a log file."""
    return tqdm(items, disable=None, leave=False, **options)


def load_split():
    """Read data/split.csv: columns by name, groups as numbers and ``train`` as a mask."""
    rows = read_csv("data/split.csv")
    return rows | {"group": rows["group"].astype(int), "train": rows["part"] == "train"}
