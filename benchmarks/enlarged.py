"""More real photos than there are: altered ones are added, in about the shares of the public set.

Of five added photos three are new pictures, altered so far from real ones that they are not
near-duplicates of them, and two are copies of such pictures. The public set has 3,067 distinct
pictures among 4,999 photos.
"""

import io
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import ImageEnhance
from tqdm import tqdm

from flowers.base.parallel import pooled_map
from flowers.images.decoding import decode_image
from study.alterations import crop, mirror, shift_hue
from study.photos import read_photos
from study.repository import run_command

# Of five added photos three are new pictures.
NEW = 3
PERIOD = 5
OFFSET = 2  # a copy shows the picture that was added two places before


def make_picture(photo, rng):
    """Make a new picture: about a quarter of a photo, enlarged, with other hues and brightness."""
    part = crop(photo, rng, rng.uniform(0.45, 0.6))
    part = shift_hue(mirror(part, rng) if rng.random() < 0.5 else part, rng)
    return ImageEnhance.Brightness(part.resize(photo.size)).enhance(rng.uniform(0.7, 1.3))


def make_photo(number, photos):
    """Make the added photo of this number; return its class and its bytes as a JPEG."""
    is_copy = number % PERIOD >= NEW
    source = number - OFFSET if is_copy else number
    label, content = photos[source % len(photos)]
    picture = make_picture(decode_image(content)[0], np.random.default_rng(source))
    quality = 90
    if is_copy:
        rng = np.random.default_rng(number)
        picture = picture.resize([round(side * rng.uniform(0.6, 1)) for side in picture.size])
        quality = int(rng.integers(60, 85))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return label, stream.getvalue()


def enlarge_photos(source, count):
    """Yield class and bytes of `count` photos: those of an archive or a folder, then added ones."""
    labels, contents = read_photos(source)
    # Shuffled, because files are sorted by class and added photos shall be of all classes.
    order = np.random.default_rng(0).permutation(len(contents))
    photos = [(str(labels[i]), contents[i]) for i in order]
    yield from photos[:count]
    missing = max(count - len(photos), 0)
    added = pooled_map(partial(make_photo, photos=photos), range(missing), -1, "threading")
    yield from tqdm(islice(added, missing), desc="altered", disable=None)


def write_archive(source, count, path):
    """Write a zip of `count` photos with a folder per class."""
    with zipfile.ZipFile(path, "w") as archive:
        for k, (label, content) in enumerate(enlarge_photos(source, count)):
            archive.writestr(f"flower_images/{label}/{k:06}.jpg", content)


@contextmanager
def create_archive(source, count):
    """Create a temporary zip of `count` photos and yield its path.

    It is written by another process, whose memory does not count in later measurements.
    """
    with tempfile.TemporaryDirectory(prefix="flowers-") as folder:
        path = Path(folder) / "photos.zip"
        run_command(sys.executable, "-m", "benchmarks.enlarged", source, str(count), str(path))
        yield path


if __name__ == "__main__":
    write_archive(sys.argv[1], int(sys.argv[2]), sys.argv[3])
