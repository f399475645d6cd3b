"""What several stages read and write in the same way."""

from tqdm import tqdm

from flowers.base.tables import read_csv


def show_progress(items, **options):
    """A progress bar where a person watches, nothing in a log file."""
    return tqdm(items, disable=None, leave=False, **options)


def load_split():
    """The rows of data/split.csv: groups as numbers, ``train`` as a mask."""
    rows = read_csv("data/split.csv")
    return rows | {"group": rows["group"].astype(int), "train": rows["part"] == "train"}
