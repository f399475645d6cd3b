"""A prediction as users get it, over HTTP and from the command line."""


def describe_prediction(predictor, prediction):
    """Describe the prediction for one image.

    Parameters
    ----------
    predictor : flowers.model.predictor.Predictor
    prediction : flowers.model.predictor.Prediction

    Returns
    -------
    dict
        ``label``, ``confidence``, ``confident``, ``typical`` and ``probabilities`` by class.
        ``confident`` is false below the confidence at which test images were misclassified as often
        as not. ``typical`` is false if 97.5 % of the test images have a higher typicality, and
        None if the model has none.
    """
    typicality = prediction.typicality
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "confident": prediction.confidence >= predictor.confidence_threshold,
        "typical": None if typicality is None else typicality >= predictor.typicality_threshold,
        "probabilities": dict(
            zip(predictor.classes, prediction.probabilities.tolist(), strict=True)
        ),
    }


def describe_rejection(error):
    """Describe a RejectedImage: the HTTP ``status``, the ``reason`` and the ``detail``."""
    status = 415 if error.reason == "not a JPEG, PNG or WEBP" else 422
    return {"status": status, "reason": error.reason, "detail": error.detail}


def describe_model(predictor):
    """Describe the model that a prediction comes from: ``model_role`` and ``model_version``."""
    return {"model_role": predictor.role, "model_version": predictor.version}


def describe_provenance(predictor):
    """Describe a model as `describe_model` does, with ``model_md5``, ``tag`` and ``commit``."""
    provenance = {key: predictor.provenance.get(key) for key in ("tag", "commit")}
    return describe_model(predictor) | {"model_md5": predictor.md5} | provenance
