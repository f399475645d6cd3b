"""One photo, one answer: the way that HTTP, the canary and the local script share."""

import time

from flowers.photos.statistics import statistics


def score(bundle, photo):
    """Ask a model about one photo.

    Parameters
    ----------
    bundle : Bundle
    photo : bytes

    Returns
    -------
    prediction : dict
        ``label``, ``confidence``, ``probabilities`` by class, and the model they come from.
    facts : dict
        ``image`` statistics and ``latency_ms``.

    Raises
    ------
    Rejected
        If the photo cannot be read.
    """
    start = time.perf_counter()
    pixels, (width, height) = bundle.read(photo)
    probabilities = bundle.ask(pixels)
    latency = time.perf_counter() - start
    best = int(probabilities.argmax())
    prediction = {
        "label": bundle.classes[best],
        "confidence": float(probabilities[best]),
        "probabilities": dict(zip(bundle.classes, probabilities.tolist(), strict=True)),
        "model_used": bundle.used,
        "model_version": bundle.version,
    }
    image = {"width": width, "height": height} | statistics(pixels)
    return prediction, {"image": image, "latency_ms": round(1000 * latency, 3)}


def record(bundle, prediction, facts, request_id, index, role, when):
    """What the log keeps of an answer; the photo and its name are not kept.

    Parameters
    ----------
    bundle : Bundle
    prediction, facts : dict
        From `score`.
    request_id : str
    index : int
        Of the photo in its request.
    role : {"production", "canary"}
        Whether the user got this answer.
    when : str
        From ``log.now``.
    """
    return {
        "time": when,
        "kind": "prediction",
        "request_id": request_id,
        "index": index,
        "role": role,
        "model_version": bundle.version,
        "model_md5": bundle.md5,
        "label": prediction["label"],
        "probabilities": prediction["probabilities"],
    } | facts
