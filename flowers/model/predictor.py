"""The path from the bytes of an image to a prediction.

The scorer, its canary, the command line and the golden check share it: equal bytes get equal
probabilities everywhere.
"""

import time
from dataclasses import dataclass

import numpy as np

from flowers.base.errors import RejectedImage
from flowers.features.extraction import extract_features
from flowers.images.decoding import load_pixels
from flowers.images.statistics import compute_hash, compute_statistics
from flowers.learning.gram import BATCH_INVARIANT_ROWS

UNNAMED_STUDY = {"name": "classifier", "title": "Image classifier", "noun": "class"}


@dataclass(frozen=True)
class Sample:
    """The features and statistics of one image, ready to be classified.

    Attributes
    ----------
    features : ndarray of shape (1, d)
    image : dict
        ``width`` and ``height`` of the upright image, its statistics and its ``hash``.
    seconds : float
        Time spent on decoding and feature extraction.
    typicality : float or None
        See `Prediction`.
    """

    features: np.ndarray
    image: dict
    seconds: float
    typicality: float | None = None


@dataclass(frozen=True)
class Prediction:
    """The result for one image.

    Attributes
    ----------
    label : str
        The class of the highest probability.
    probabilities : ndarray of shape (n_classes,), float64
        In the order of the predictor's classes, sum 1.
    image : dict
        See `Sample`.
    latency_ms : float
        Milliseconds from the bytes to the probabilities. The time of a batch is divided equally
        among its images.
    typicality : float or None
        From ``flowers.model.typicality``, range [0, 1]; None if the model has no such score.
    """

    label: str
    probabilities: np.ndarray
    image: dict
    latency_ms: float
    typicality: float | None = None

    @property
    def confidence(self):
        """Highest probability, range [1 / n_classes, 1]."""
        return float(self.probabilities.max())


@dataclass(frozen=True)
class Predictor:
    """A trained classifier with its card, codebook and provenance.

    Attributes
    ----------
    estimator : classifier
        Fitted, with ``predict_proba``.
    card : dict
        From ``flowers.model.card.build_card``.
    provenance : dict
        ``version``, ``tag`` and ``commit`` of a promoted model, empty for a candidate.
    codebook : flowers.features.codebook.Codebook, optional
        Needed if one of the features is learned.
    typicality : flowers.model.typicality.Typicality, optional
        Models of earlier versions have none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from flowers.model import load_predictor
    >>> predictor = load_predictor("models/candidate")
    >>> image = Path("data/photos/Tulip/0001.jpg").read_bytes()
    >>> tulip, rejected = predictor.predict_bytes([image, b"not an image"])
    >>> tulip.label, tulip.probabilities.shape
    ('Tulip', (5,))
    >>> rejected.reason
    'not a JPEG, PNG or WEBP'
    """

    estimator: object
    card: dict
    provenance: dict
    codebook: object = None
    typicality: object = None

    @property
    def classes(self):
        """Names of the classes, in the order of the probabilities."""
        return tuple(self.card["classes"])

    @property
    def study(self):
        """Name, title and noun of the study; general words if the card has none."""
        return self.card.get("study", UNNAMED_STUDY)

    @property
    def md5(self):
        """MD5 of the model file."""
        return self.card["model"]["md5"]

    @property
    def version(self):
        """Version of the promoted model, such as "v1.2.0"; "untagged" for a candidate."""
        return self.provenance.get("version", "untagged")

    @property
    def role(self):
        """Role of the model: "production" if it has a provenance, else "candidate"."""
        return "production" if self.provenance else "candidate"

    @property
    def confidence_threshold(self):
        """Confidence below which test images were wrong at least as often as correct.

        From ``flowers.evaluation.metrics.find_confidence_threshold``; 0 if the card has none.
        """
        return self.card.get("metrics", {}).get("confidence_threshold", 0.0)

    @property
    def typicality_threshold(self):
        """Typicality that 97.5 % of the test images have at least; 0 if the model has no score."""
        return self.card.get("typicality", {}).get("threshold", 0.0)

    def predict_images(self, images, sizes=None):
        """Predict many images that are decoded and resized already.

        Parameters
        ----------
        images : ndarray of shape (n, size, size, 3), uint8
        sizes : ndarray of shape (n, 2), int, optional
            Width and height before resizing; squares if omitted.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes), float64
            For large n the last bits may differ from those of `predict`.
        typicality : ndarray of shape (n,), float64
            NaN if the model has no such score.
        """
        features = extract_features(images, self.card["features"], sizes, self.codebook)
        missing = np.full(len(features), np.nan)
        typicality = self.typicality.score_rows(features) if self.typicality else missing
        return self.estimator.predict_proba(features), typicality

    def load(self, data):
        """Decode and resize an image; compute its features and statistics once.

        Parameters
        ----------
        data : bytes
            The content of a JPEG, PNG or WEBP file.

        Returns
        -------
        Sample

        Raises
        ------
        RejectedImage
            If the image cannot be decoded.
        """
        start = time.perf_counter()
        pixels, size, _ = load_pixels(data, self.card["size"])
        return self.to_sample(pixels, size, time.perf_counter() - start)

    def to_sample(self, pixels, size, seconds=0.0):
        """Compute the features and statistics of an image that is decoded and resized already.

        Together with ``flowers.images.decoding.load_pixels`` it equals `load`; a decode worker runs
        the first part in another process.

        Parameters
        ----------
        pixels : ndarray of shape (s, s, 3), uint8
            `s` is ``card["size"]``.
        size : tuple of int
            Width and height of the upright image.
        seconds : float
            Time spent on decoding.

        Returns
        -------
        Sample
        """
        start = time.perf_counter()
        metadata = {"width": size[0], "height": size[1]} | compute_statistics(pixels)
        metadata["hash"] = compute_hash(pixels)
        features = extract_features(pixels[None], self.card["features"], [size], self.codebook)
        typicality = float(self.typicality.score_rows(features)[0]) if self.typicality else None
        return Sample(features, metadata, seconds + time.perf_counter() - start, typicality)

    def predict(self, samples):
        """Classify a sequence of `Sample` as one batch; the bits are the same for every batch size.

        Returns
        -------
        list of Prediction
        """
        predictions = []
        # Larger batches would use matrix products whose last bits differ.
        for first in range(0, len(samples), BATCH_INVARIANT_ROWS):
            batch = samples[first : first + BATCH_INVARIANT_ROWS]
            start = time.perf_counter()
            rows = self.estimator.predict_proba(np.concatenate([s.features for s in batch]))
            seconds = (time.perf_counter() - start) / len(batch)
            for sample, probabilities in zip(batch, rows, strict=True):
                label = self.classes[int(probabilities.argmax())]
                latency_ms = round(1000 * (sample.seconds + seconds), 3)
                fields = probabilities, sample.image, latency_ms, sample.typicality
                predictions.append(Prediction(label, *fields))
        return predictions

    def predict_bytes(self, many):
        """Classify the contents of image files, an iterable of bytes.

        Returns
        -------
        list of Prediction or RejectedImage
            In the order of `many`; the error in place of an image that cannot be decoded.
        """
        results = [self._try_load(data) for data in many]
        samples = [result for result in results if isinstance(result, Sample)]
        predictions = iter(self.predict(samples))
        return [next(predictions) if isinstance(r, Sample) else r for r in results]

    def _try_load(self, data):
        try:
            return self.load(data)
        except RejectedImage as error:
            return error
