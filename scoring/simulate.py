"""Ask the scorer about photos with a known shift: python -m scoring.simulate --shift grey

`make drift` afterwards shows what the alarm makes of them.
"""

import argparse
import io
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import requests
from PIL import Image
from tqdm import tqdm
from werkzeug.serving import WSGIRequestHandler, make_server

from flowers.base.environment import read_model_dir
from flowers.base.errors import BadInput, RejectedImage
from flowers.drift_simulation import shifts
from flowers.images.decoding import decode_image
from flowers.model import folder as model_folder
from scoring import photos
from scoring.server.app import create_app

DONE, REFUSED = 0, 2
DRAWN = "synthetic"
TIMEOUT = 60  # seconds


def shifted(photo, shift):
    """The bytes of a photo after a shift; without one that changes pixels, the same bytes."""
    if shift not in shifts.OF_PIXELS:
        return photo
    image, _ = decode_image(photo)
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


@dataclass(frozen=True)
class Shift:
    """What becomes of the photos.

    Attributes
    ----------
    name : str or None
        One of ``shifts.NAMES``.
    share : float
        Of the photos that are shifted.
    slow : int
        Photos over which the share comes up; 0: all at once.
    """

    name: str | None
    share: float = 1.0
    slow: int = 0

    def weights(self, count):
        """How often each of `count` classes comes."""
        even = np.full(count, 1 / count)
        return shifts.OF_CLASSES.get(self.name, lambda _: even)(count)

    def of(self, number, rng):
        """The name of the shift for the photo of this number, or None where it stays as it is."""
        chance = self.share * min(1.0, (number + 1) / self.slow if self.slow else 1.0)
        return self.name if rng.random() < chance else None


def replay(url, sent, count, shift, rng):
    """Ask about each photo, and tell the true label of each that is answered and has one.

    Returns
    -------
    answered, right : int
    """
    answered = right = 0
    for number, (label, photo) in enumerate(tqdm(sent, total=count, unit=" photos", disable=None)):
        name = shift.of(number, rng)
        try:
            photo = shifted(photo, name)
        except RejectedImage:
            continue
        status, answer = post(f"{url}/predict", files={"file": ("photo", photo)})
        if status == 200:
            answered += 1
            if name in shifts.WITHOUT_ANSWER:
                continue
            right += answer["predictions"][0]["label"] == label
            truth = {"request_id": answer["request_id"], "true_label": label}
            post(f"{url}/feedback", json=truth)
        elif status not in (415, 422):  # only a photo that cannot be read is passed over
            raise BadInput(f"{url} answers with status {status}: {answer.get('detail', answer)}")
    return answered, right


def chosen(source, weights, count, rng):
    """Photos to send: held-out ones of the served model, drawn ones, or those of a folder."""
    if source is None:
        folder = model_folder.find_model_folder("models", read_model_dir())
        return photos.held_out(folder, weights, count, rng)
    if source == DRAWN:
        return photos.drawn(weights, count, rng)
    used, found = photos.used_to_train(Path(source))
    if used:
        print(
            f"scoring.simulate: the model has learnt {used} of the {found} photos in {source}: "
            "its answers look better than they are; leave out --photos for those it was tested on",
            file=sys.stderr,
        )
    return photos.of_folder(Path(source), weights, count, rng)


def options_of(arguments):
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m scoring.simulate",
        description="Ask the scorer about photos with a known shift, and tell it the true labels.",
    )
    parser.add_argument("--shift", choices=shifts.NAMES, help="default: none")
    parser.add_argument("--share", type=float, default=1.0, help="of the photos that are shifted")
    parser.add_argument("--slow", type=int, default=0, help="photos over which the share comes up")
    parser.add_argument(
        "--photos",
        help="one folder per class, or drawn; default: the photos the model was tested on",
    )
    parser.add_argument("--url", help="of a running scorer; default: one of its own")
    parser.add_argument("-n", type=int, default=400, help="photos (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.n < 1 or options.seed < 0 or options.slow < 0 or not 0 < options.share <= 1:
        parser.error(
            "-n must be at least 1, --seed and --slow at least 0, --share above 0, up to 1"
        )
    return options


def main(arguments=None):
    """Replay photos, and say how many were answered.

    Returns
    -------
    int
        0, or 2 if there is no such photo, model or scorer.
    """
    options = options_of(arguments)
    shift = Shift(options.shift, options.share, options.slow)
    # Of their own: which photos come is the same for each shift.
    rng, other = np.random.default_rng(options.seed), np.random.default_rng([options.seed, 1])
    try:
        sent = chosen(options.photos, shift.weights, options.n, rng)
        if options.url:
            answered, right = replay(options.url, sent, options.n, shift, other)
        else:
            with own_scorer() as url:
                answered, right = replay(url, sent, options.n, shift, other)
    except BadInput as error:
        print(f"scoring.simulate: {error}", file=sys.stderr)
        return REFUSED
    print(f"{answered} of {options.n} photos answered, {right} right; now: make drift")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
