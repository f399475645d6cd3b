"""More real photos than there are: altered ones join them, in about the shares of the public set.

Of five that join three are new pictures, made from real ones so that they are no twins of theirs,
and two are copies of such pictures. The public set has 3,067 distinct pictures among 4,999 photos.
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

from flowers.base.errors import RejectedImage
from flowers.base.parallel import pooled_map
from flowers.images.decoding import decode_image
from flowers.sources.files import iterate_archive, iterate_folder
from study.alterations import crop, mirror, shift_hue
from study.repository import run_command

NEW, OF = 3, 5
BACK = 2  # so many before a copy is what it shows


def make_picture(photo, rng):
    """About a quarter of a photo, as large as the whole, in other hues and another light."""
    part = crop(photo, rng, rng.uniform(0.45, 0.6))
    part = shift_hue(mirror(part, rng) if rng.random() < 0.5 else part, rng)
    return ImageEnhance.Brightness(part.resize(photo.size)).enhance(rng.uniform(0.7, 1.3))


def make_joining_photo(number, photos):
    """The class and the bytes of a photo that joins, made from one of `photos`."""
    copy = number % OF >= NEW
    shown = number - BACK if copy else number
    label, content = photos[shown % len(photos)]
    picture = make_picture(decode_image(content)[0], np.random.default_rng(shown))
    stream, quality = io.BytesIO(), 90
    if copy:
        rng = np.random.default_rng(number)
        picture = picture.resize([round(side * rng.uniform(0.6, 1)) for side in picture.size])
        quality = int(rng.integers(60, 85))
    picture.save(stream, "JPEG", quality=quality)
    return label, stream.getvalue()


def read_photos(source):
    """Class and bytes of the photos of an archive or a folder that can be decoded, by turns."""
    with tempfile.TemporaryDirectory() as cache:
        named = iterate_folder(source) if Path(source).is_dir() else None
        found = []
        for label, _, content in named or iterate_archive(str(source), Path(cache)):
            try:
                decode_image(content or b"")
            except RejectedImage:
                continue
            found.append((label, content))
    # Classes come one after the other: what joins is of all of them.
    return [found[i] for i in np.random.default_rng(0).permutation(len(found))]


def enlarge_photos(source, count):
    """Yield class and bytes of so many photos: first those there are, then those that join."""
    photos = read_photos(source)
    yield from photos[:count]
    more = pooled_map(
        partial(make_joining_photo, photos=photos), range(count - len(photos)), -1, "threading"
    )
    yield from tqdm(islice(more, max(count - len(photos), 0)), desc="altered", disable=None)


def write_archive(source, count, path):
    """A zip of so many photos, one folder per class."""
    with zipfile.ZipFile(path, "w") as archive:
        for k, (label, content) in enumerate(enlarge_photos(source, count)):
            archive.writestr(f"flower_images/{label}/{k:06}.jpg", content)


@contextmanager
def create_archive(source, count):
    """The path of a zip of so many photos, that is deleted afterwards.

    Another process writes it: what it has in memory would count for those that are measured.
    """
    with tempfile.TemporaryDirectory(prefix="flowers-") as folder:
        path = Path(folder) / "photos.zip"
        run_command(sys.executable, "-m", "benchmarks.enlarged", source, str(count), str(path))
        yield path


if __name__ == "__main__":
    write_archive(sys.argv[1], int(sys.argv[2]), sys.argv[3])
