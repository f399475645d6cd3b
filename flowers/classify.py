"""From the bytes of one photo to class probabilities: the way every answer takes."""

from flowers.features import extract
from flowers.images import read


def photo_features(data, features, size):
    """The features of one photo, as the pipeline computes them for training.

    Parameters
    ----------
    data : bytes
        The content of a JPEG, PNG or WEBP file.
    features : list of str
        Keys of ``flowers.features.EXTRACTORS``.
    size : int
        Pixels a side.

    Returns
    -------
    ndarray of shape (1, d)

    Raises
    ------
    Rejected
        If the photo cannot be read.
    """
    pixels, _ = read(data, size)
    return extract(pixels[None], features)


def probabilities(data, model, features, size):
    """Class probabilities of one photo, in the order of ``model.classes_``.

    Returns
    -------
    ndarray of shape (n_classes,), float64

    Raises
    ------
    Rejected
        If the photo cannot be read.
    """
    return model.predict_proba(photo_features(data, features, size))[0]
