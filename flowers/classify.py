"""From one photo to class probabilities: the way every answer takes."""

from flowers.features.extraction import extract
from flowers.photos.decoding import read


def ask(pixels, model, features):
    """Class probabilities of one photo that is decoded already.

    Parameters
    ----------
    pixels : ndarray of shape (size, size, 3), uint8
    model : estimator
    features : sequence of str
        Keys of ``flowers.features.extraction.EXTRACTORS``.

    Returns
    -------
    ndarray of shape (n_classes,), float64
        In the order of ``model.classes_``.
    """
    return model.predict_proba(extract(pixels[None], features))[0]


def probabilities(data, model, features, size):
    """Class probabilities of one photo.

    Parameters
    ----------
    data : bytes
        The content of a JPEG, PNG or WEBP file.
    model, features
        As of `ask`.
    size : int
        Pixels a side.

    Returns
    -------
    ndarray of shape (n_classes,), float64

    Raises
    ------
    Rejected
        If the photo cannot be read.
    """
    pixels, _ = read(data, size)
    return ask(pixels, model, features)
