"""What several stages read and write in the same way."""

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


def write_sheet(path, images, captions):
    """A contact sheet as JPEG."""
    with whole(path) as partial:
        contact_sheet(images, captions).save(partial, "JPEG", quality=88)
