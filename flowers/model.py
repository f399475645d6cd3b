"""A model that answers: the one path from the bytes of a photo to probabilities."""

import time
from dataclasses import dataclass

import numpy as np

from flowers.errors import Rejected
from flowers.features.extraction import extract
from flowers.photos.decoding import decode, square
from flowers.photos.statistics import statistics


@dataclass(frozen=True)
class Answer:
    """What a model says of one photo.

    Attributes
    ----------
    label : str
        The class of the highest probability.
    probabilities : ndarray of shape (n_classes,), float64
        In the order of the model's classes, sum 1.
    image : dict
        ``width`` and ``height`` of the upright photo, and its `statistics`.
    latency_ms : float
        From the bytes to the probabilities and the statistics.
    """

    label: str
    probabilities: np.ndarray
    image: dict
    latency_ms: float


@dataclass(frozen=True)
class Model:
    """A model with what is needed to let it answer.

    Attributes
    ----------
    estimator : estimator
    card : dict
        As of ``flowers.card.card``.
    origin : dict
        ``version``, ``tag`` and ``commit`` of a promoted model, empty for a candidate.
    codebook : flowers.features.codebook.Codebook, optional
        Where a feature has learnt one.
    """

    estimator: object
    card: dict
    origin: dict
    codebook: object = None

    @property
    def classes(self):
        """Names of the classes, in the order of the probabilities."""
        return tuple(self.card["classes"])

    @property
    def md5(self):
        """MD5 of the model file."""
        return self.card["model"]["md5"]

    @property
    def version(self):
        """Such as "v1.2.0"; "untagged" for a candidate that no tag names."""
        return self.origin.get("version", "untagged")

    @property
    def used(self):
        """What answers call this model: "production" if a tag names it, else "candidate"."""
        return "production" if self.origin else "candidate"

    @property
    def unsure_below(self):
        """Confidence below which held-out photos were wrong at least as often as right.

        From `flowers.evaluation.scores.unsure_below`; 0 if the card does not say.
        """
        return self.card.get("metrics", {}).get("unsure_below", 0.0)

    def probabilities(self, images, sizes=None):
        """Class probabilities of photos that are decoded already.

        Parameters
        ----------
        images : ndarray of shape (n, size, size, 3), uint8
        sizes : ndarray of shape (n, 2), int, optional
            Width and height of the photos; without them they count as squares.

        Returns
        -------
        ndarray of shape (n, n_classes), float64
        """
        rows = extract(images, self.card["features"], sizes, self.codebook)
        return self.estimator.predict_proba(rows)

    def answer(self, photo):
        """Answer one photo: the way of HTTP, of the canary, of files and of golden photos.

        Parameters
        ----------
        photo : bytes
            The content of a JPEG, PNG or WEBP file.

        Returns
        -------
        Answer

        Raises
        ------
        Rejected
            If the photo cannot be read.
        """
        (answer,) = self.answers([photo])
        if isinstance(answer, Rejected):
            raise answer
        return answer

    def answers(self, photos):
        """Answer photos together, each as if it were alone: the same bits, in less time.

        Parameters
        ----------
        photos : sequence of bytes
            At most ``flowers.learning.kernels.FEW``: more get other bits.

        Returns
        -------
        list of Answer or Rejected
            Why it cannot be read, in place of the answer to such a photo. ``latency_ms`` is the
            mean.
        """
        start = time.perf_counter()
        told = [self._row(photo) for photo in photos]
        rows = [row for row, *_ in told if row is not None]
        shares = iter(self.estimator.predict_proba(np.concatenate(rows)) if rows else ())
        latency = round(1000 * (time.perf_counter() - start) / max(len(told), 1), 3)
        return [
            found if row is None else self._answer(next(shares), found, latency)
            for row, found in told
        ]

    def _row(self, photo):
        """Features and statistics of a photo, or None and why it cannot be read."""
        try:
            image, _ = decode(photo)
            pixels = square(image, self.card["size"])
        except Rejected as error:
            return None, error
        facts = {"width": image.width, "height": image.height} | statistics(pixels)
        row = extract(pixels[None], self.card["features"], [image.size], self.codebook)
        return row, facts

    def _answer(self, probabilities, image, latency_ms):
        label = self.classes[int(probabilities.argmax())]
        return Answer(label, probabilities, image, latency_ms)
