"""Send photos with a known shift to the scorer: python -m scoring.simulate --shift grey

`make drift` then shows whether the drift detector detects it.
"""

import io
import logging
import sys
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from flowers.base.errors import BadInput, RejectedImage
from scoring import cli

if __name__ == "__main__":
    cli.run(cli.simulate, "scoring.simulate")  # before the slow imports

import numpy as np
import requests
from PIL import Image
from tqdm import tqdm
from werkzeug.serving import make_server

from flowers.base.environment import read_model_dir
from flowers.base.tables import read_csv
from flowers.drift_simulation import shifts
from flowers.images.decoding import decode_image
from flowers.model import folder as model_folder
from flowers.sources.network import describe_request_error
from flowers.synthetic.picture import SPECIES, draw_photo
from scoring.predict import list_files
from scoring.server.app import create_app
from scoring.server.settings import read_settings

SYNTHETIC = "synthetic"
PHOTOS = Path("data/photos")
INDEX = Path("data/index.csv")
SPLIT = Path("data/split.csv")
TIMEOUT = 60  # seconds
CROP = 0.04  # of a side, at most, so that a photo that is sent again is not a repeat


@dataclass(frozen=True)
class Shift:
    """The shift of the photos.

    Attributes
    ----------
    name : str or None
        One of ``shifts.NAMES``.
    share : float
        Share of shifted photos.
    gradual : int
        Photos over which the share is reached; 0: at once.
    """

    name: str | None
    share: float = 1.0
    gradual: int = 0

    def compute_proportions(self, count):
        """Compute the class proportions of `count` classes after the shift."""
        even = np.full(count, 1 / count)
        return shifts.LABEL_SHIFTS.get(self.name, lambda _: even)(count)

    def choose_name(self, number, rng):
        """Return the name of the shift for the photo of this number, None for no shift."""
        share = self.share * min(1.0, (number + 1) / self.gradual if self.gradual else 1.0)
        return self.name if rng.random() < share else None


def shift_photo(photo, name):
    """Shift a photo, bytes; the same bytes if the shift does not change pixels."""
    if name not in shifts.IMAGE_SHIFTS:
        return photo
    image, _ = decode_image(photo)
    pixels = shifts.IMAGE_SHIFTS[name](np.asarray(image)[None])[0]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def draw_photos(compute_proportions, count, rng):
    """Yield (label, bytes) of synthetic photos, as in ``fetch.source: synthetic`` by other seeds.

    Parameters
    ----------
    compute_proportions : callable
        From the number of classes to their proportions.
    count : int
    rng : numpy.random.Generator
    """
    for species in rng.choice(SPECIES, count, p=compute_proportions(len(SPECIES))):
        buffer = io.BytesIO()
        draw_photo(species, rng).save(buffer, "JPEG", quality=int(rng.integers(60, 96)))
        yield str(species), buffer.getvalue()


def read_folder(folder):
    """List the paths by class of a folder with one subfolder per class, at least two."""
    classes = {}
    for path in list_files([folder]):
        classes.setdefault(path.parent.name, []).append(path)
    if len(classes) < 2:
        raise BadInput(
            f"{folder} has photos of {sorted(classes)}: give one folder per class, at least two"
        )
    return classes


def read_test_photos(folder):
    """List the paths by class of the test photos of a model, one of each near-duplicate group."""
    rows = read_csv(model_folder.find_reference(folder))
    if "path" not in rows:
        raise BadInput(
            f"the reference set of {folder} has no paths: dvc repro promote writes one that has, "
            "or give --photos"
        )
    classes = {}
    for i in np.unique(rows["group"], return_index=True)[1]:
        path = PHOTOS / rows["path"][i]
        if not path.is_file() or sha256(path.read_bytes()).hexdigest() != rows["sha256"][i]:
            raise BadInput(
                f"{path} is not the photo that the model was tested on: dvc checkout data/photos "
                "of its commit, or give --photos"
            )
        classes.setdefault(str(rows["label"][i]), []).append(path)
    return classes


def sample_photos(classes, compute_proportions, count, rng):
    """Yield (label, bytes) of photos: each unchanged once, and slightly cropped when sent again.

    Parameters
    ----------
    classes : dict of str to list of Path
    compute_proportions, count, rng
        As in `draw_photos`.
    """
    labels = sorted(classes)
    waiting = {}
    used_up = set()
    for label in rng.choice(labels, count, p=compute_proportions(len(labels))):
        if not waiting.get(label):
            used_up |= {label} if label in waiting else set()
            waiting[label] = rng.permutation(len(classes[label])).tolist()
        photo = classes[label][waiting[label].pop()].read_bytes()
        yield str(label), crop_slightly(photo, rng) if label in used_up else photo


def crop_slightly(photo, rng):
    """Crop a little of each side and save as JPEG; an unreadable photo is left unchanged."""
    try:
        image, _ = decode_image(photo)
    except RejectedImage:
        return photo
    left, top, right, bottom = rng.random(4) * CROP / 2
    width, height = image.size
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    buffer = io.BytesIO()
    image.resize(image.size, Image.Resampling.BICUBIC, box).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def warn_of_training_photos(folder):
    """Print a warning if the model was trained on photos of the folder."""
    if not (INDEX.is_file() and SPLIT.is_file()):
        return
    index = read_csv(INDEX)
    split = read_csv(SPLIT)
    digests = dict(zip(index["row"], index["sha256"], strict=True))
    train = {digests.get(row) for row in split["row"][split["part"] == "train"]}
    paths = list_files([folder])
    trained = sum(sha256(path.read_bytes()).hexdigest() in train for path in paths)
    if trained:
        print(
            f"scoring.simulate: the model was trained on {trained} of the {len(paths)} photos in "
            f"{folder}: accuracy is too high; leave out --photos for its test photos",
            file=sys.stderr,
        )


def choose_photos(source, compute_proportions, count, rng):
    """Choose photos: test photos of the served model (None), synthetic, or of a folder.

    Parameters and result are those of `draw_photos`; `source` is that of ``--photos``.
    """
    if source == SYNTHETIC:
        return draw_photos(compute_proportions, count, rng)
    if source is None:
        folder = model_folder.find_model_folder("models", read_model_dir())
        return sample_photos(read_test_photos(folder), compute_proportions, count, rng)
    warn_of_training_photos(Path(source))
    return sample_photos(read_folder(Path(source)), compute_proportions, count, rng)


@contextmanager
def start_scorer():
    """Start a scorer with the settings of the environment on a free port; yields its URL."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
    server = make_server("127.0.0.1", 0, create_app(read_settings()), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def post(url, **content):
    """Send a request; return the status and JSON of the response, ``BadInput`` without one."""
    try:
        response = requests.post(url, timeout=TIMEOUT, **content)
        return response.status_code, response.json()
    except (requests.RequestException, ValueError) as error:  # urllib3 raises ValueError
        raise BadInput(
            f"{url} failed ({describe_request_error(error)}): start python -m scoring.server, "
            "correct --url, or leave it out"
        ) from error


def send_photos(url, photos, count, shift, rng):
    """Send photos, and the true label of each predicted one.

    Parameters
    ----------
    url : str
    photos : iterable of (label, bytes)
    count : int
        Number of photos.
    shift : Shift
    rng : numpy.random.Generator

    Returns
    -------
    predicted, correct : int
    """
    predicted = 0
    correct = 0
    for number, (label, photo) in enumerate(
        tqdm(photos, total=count, unit=" photos", disable=None)
    ):
        name = shift.choose_name(number, rng)
        try:
            photo = shift_photo(photo, name)
        except RejectedImage:
            continue
        status, response = post(f"{url}/predict", files={"file": ("photo", photo)})
        if status == 200:
            predicted += 1
            if name in shifts.WITHOUT_TRUTH:
                continue
            correct += response["predictions"][0]["label"] == label
            feedback = {"request_id": response["request_id"], "true_label": label}
            post(f"{url}/feedback", json=feedback)
        elif status not in (415, 422):  # an unreadable photo is skipped
            detail = response.get("detail", response)
            raise BadInput(f"{url} responds with status {status}: {detail}")
    return predicted, correct


def main(photos, url, count, seed, **options):
    """Send photos; `options` are the attributes of the `Shift`."""
    shift = Shift(**options)
    if shift.name is not None and shift.name not in shifts.NAMES:
        raise BadInput(f"--shift {shift.name}: choose one of {', '.join(shifts.NAMES)}")
    if count < 1 or seed < 0 or shift.gradual < 0 or not 0 < shift.share <= 1:
        raise BadInput("-n must be at least 1, --seed and --ramp at least 0, --share in (0, 1]")
    # Two generators: the choice of photos does not depend on the shift.
    rng = np.random.default_rng(seed)
    shift_rng = np.random.default_rng([seed, 1])
    chosen = choose_photos(photos, shift.compute_proportions, count, rng)
    with nullcontext(url) if url else start_scorer() as address:
        predicted, correct = send_photos(address, chosen, count, shift, shift_rng)
    print(f"{predicted} of {count} photos predicted, {correct} correct; next: make drift")
