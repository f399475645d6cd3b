"""Ask the scorer about photos with a known shift: python -m scoring.simulate --shift grey

`make drift` afterwards shows what the alarm makes of them.
"""

import argparse
import io
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import requests
from PIL import Image
from tqdm import tqdm
from werkzeug.serving import WSGIRequestHandler, make_server

from flowers.drawn.picture import SPECIES, draw
from flowers.drift import shifts
from flowers.errors import BadInput, Rejected
from flowers.photos.decoding import decode
from scoring.local import photos_in
from scoring.server.app import create_app

DONE, REFUSED = 0, 2
TIMEOUT = 60  # seconds


def drawn_photos(weights, count, rng):
    """Photos like those of ``fetch.source: drawn``, from other seeds.

    Parameters
    ----------
    weights : ndarray of shape (n_species,)
        How often each species comes, sum 1.
    count : int
    rng : numpy.random.Generator

    Yields
    ------
    label : str
    photo : bytes
    """
    for species in rng.choice(SPECIES, count, p=weights):
        buffer = io.BytesIO()
        draw(species, rng).save(buffer, "JPEG", quality=int(rng.integers(60, 96)))
        yield str(species), buffer.getvalue()


def given_photos(folder, weights, count, rng):
    """Photos of a folder with one folder per class, drawn with replacement; else as above."""
    classes = {}
    for path in photos_in([folder]):
        classes.setdefault(path.parent.name, []).append(path)
    labels = sorted(classes)
    if len(labels) < 2:
        raise BadInput(f"{folder} has photos of {labels}: give one folder per class, two at least")
    for label in rng.choice(labels, count, p=weights(len(labels))):
        yield str(label), classes[label][rng.integers(len(classes[label]))].read_bytes()


def shifted(photo, shift):
    """The bytes of a photo after a shift; without one that changes pixels, the same bytes."""
    if shift not in shifts.OF_PIXELS:
        return photo
    image, _ = decode(photo)
    pixels = shifts.apply(shift, np.asarray(image)[None])[0]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


@contextmanager
def own_scorer():
    """A scorer of the settings of the environment on a free port; yields its URL."""
    server = make_server("127.0.0.1", 0, create_app(), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def post(url, **content):
    """Status and JSON of an answer.

    Raises
    ------
    BadInput
        If nobody answers.
    """
    try:
        response = requests.post(url, timeout=TIMEOUT, **content)
        return response.status_code, response.json()
    except requests.RequestException as error:
        raise BadInput(
            f"no answer from {url} ({error}): start python -m scoring.server, or leave out --url"
        ) from error


def replay(url, photos, count, shift):
    """Ask about each photo, and tell the true label of each that is answered.

    Returns
    -------
    answered, right : int
    """
    answered = right = 0
    for label, photo in tqdm(photos, total=count, unit=" photos", disable=None):
        try:
            photo = shifted(photo, shift)
        except Rejected:
            continue
        status, answer = post(f"{url}/predict", files={"file": ("photo", photo)})
        if status == 200:
            answered += 1
            right += answer["label"] == label
            truth = {"request_id": answer["request_id"], "true_label": label}
            post(f"{url}/feedback", json=truth)
        elif status not in (415, 422):  # only a photo that cannot be read is passed over
            raise BadInput(f"{url} answers with status {status}: {answer.get('detail', answer)}")
    return answered, right


def main(arguments=None):
    """Replay photos, and say how many were answered.

    Returns
    -------
    int
        0, or 2 if there is no such photo, model or scorer.
    """
    parser = argparse.ArgumentParser(
        prog="python -m scoring.simulate",
        description="Ask the scorer about photos with a known shift, and tell it the true labels.",
    )
    parser.add_argument("--shift", choices=shifts.NAMES, help="default: none")
    parser.add_argument("--photos", type=Path, help="one folder per class; default: drawn")
    parser.add_argument("--url", help="of a running scorer; default: one of its own")
    parser.add_argument("-n", type=int, default=400, help="photos (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.n < 1 or options.seed < 0:
        parser.error("-n must be at least 1, --seed at least 0")
    rng = np.random.default_rng(options.seed)
    weights = shifts.OF_CLASSES.get(options.shift, lambda count: np.full(count, 1 / count))
    try:
        if options.photos:
            photos = given_photos(options.photos, weights, options.n, rng)
        else:
            photos = drawn_photos(weights(len(SPECIES)), options.n, rng)
        if options.url:
            answered, right = replay(options.url, photos, options.n, options.shift)
        else:
            with own_scorer() as url:
                answered, right = replay(url, photos, options.n, options.shift)
    except BadInput as error:
        print(f"scoring.simulate: {error}", file=sys.stderr)
        return REFUSED
    print(f"{answered} of {options.n} photos answered, {right} right; now: make drift")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
