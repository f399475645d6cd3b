"""A model that answers: the one path from the bytes of a photo to probabilities."""

import time
from dataclasses import dataclass

import numpy as np

from flowers.base.errors import RejectedImage
from flowers.features.extraction import extract
from flowers.images.decoding import decode, square
from flowers.images.statistics import statistics


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
        From the bytes to the probabilities and the statistics; of what many photos had together,
        their share of it.
    """

    label: str
    probabilities: np.ndarray
    image: dict
    latency_ms: float


@dataclass(frozen=True)
class Prepared:
    """A photo that is read: what the model looks at, and what the log keeps.

    Attributes
    ----------
    row : ndarray of shape (1, d)
        Its features.
    image : dict
        As of `Answer`.
    seconds : float
        That it took.
    """

    row: np.ndarray
    image: dict
    seconds: float


@dataclass(frozen=True)
class Model:
    """A model with what is needed to let it answer.

    Attributes
    ----------
    estimator : estimator
    card : dict
        As of ``flowers.model.card.card``.
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
    def confidence_threshold(self):
        """Confidence below which held-out photos were wrong at least as often as right.

        From `flowers.evaluation.scores.confidence_threshold`; 0 if the card does not say.
        """
        return self.card.get("metrics", {}).get("confidence_threshold", 0.0)

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
        RejectedImage
            If the photo cannot be read.
        """
        (answer,) = self.answers([photo])
        if isinstance(answer, RejectedImage):
            raise answer
        return answer

    def answers(self, photos):
        """Answer photos together, each as if it were alone: the same bits, in less time.

        Parameters
        ----------
        photos : iterable of bytes
            At most ``flowers.learning.kernels.FEW``: more get other bits.

        Returns
        -------
        list of Answer or RejectedImage
            Why it cannot be read, in place of the answer to such a photo.
        """
        read = [self._attempted(photo) for photo in photos]
        told = iter(self.answered([found for found in read if isinstance(found, Prepared)]))
        return [next(told) if isinstance(found, Prepared) else found for found in read]

    def answered(self, photos):
        """Answer photos that are read, if there are any: `judged`, then `told`."""
        start = time.perf_counter()
        rows = self.judged(photos) if photos else ()
        seconds = (time.perf_counter() - start) / max(len(photos), 1)
        return [self.told(*pair, seconds) for pair in zip(photos, rows, strict=True)]

    def _attempted(self, photo):
        try:
            return self.prepared(photo)
        except RejectedImage as error:
            return error

    def prepared(self, photo):
        """Read one photo: what of an answer needs no model.

        Parameters
        ----------
        photo : bytes

        Returns
        -------
        Prepared

        Raises
        ------
        RejectedImage
            If the photo cannot be read.
        """
        start = time.perf_counter()
        image, _ = decode(photo)
        pixels = square(image, self.card["size"])
        return self.described(pixels, image.size, time.perf_counter() - start)

    def described(self, pixels, size, seconds=0.0):
        """Make of a photo's pixels what the model looks at, and what the log keeps.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (side, side, 3)
            Of the card's size.
        size : tuple of int
            Width and height of the upright photo.
        seconds : float
            That were spent on reading it.

        Returns
        -------
        Prepared
        """
        start = time.perf_counter()
        facts = {"width": size[0], "height": size[1]} | statistics(pixels)
        row = extract(pixels[None], self.card["features"], [size], self.codebook)
        return Prepared(row, facts, seconds + time.perf_counter() - start)

    def judged(self, photos):
        """Class probabilities of photos that are read.

        Parameters
        ----------
        photos : sequence of Prepared
            One at least, and at most ``flowers.learning.kernels.FEW``: more get other bits.

        Returns
        -------
        ndarray of shape (n, n_classes), float64
        """
        return self.estimator.predict_proba(np.concatenate([photo.row for photo in photos]))

    def told(self, photo, probabilities, seconds):
        """Make the answer of one photo.

        Parameters
        ----------
        photo : Prepared
        probabilities : ndarray of shape (n_classes,)
            From `judged`.
        seconds : float
            That the model took for it.

        Returns
        -------
        Answer
        """
        label = self.classes[int(probabilities.argmax())]
        latency = round(1000 * (photo.seconds + seconds), 3)
        return Answer(label, probabilities, photo.image, latency)
