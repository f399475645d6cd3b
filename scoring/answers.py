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
        ``label``, ``confidence``, ``confident`` and ``probabilities`` by class. ``confident`` is
        false below the confidence at which test images were misclassified as often as not.
    """
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "confident": prediction.confidence >= predictor.confidence_threshold,
        "probabilities": dict(
            zip(predictor.classes, prediction.probabilities.tolist(), strict=True)
        ),
    }


def describe_model(predictor):
    """Describe the model that a prediction comes from: ``model_role`` and ``model_version``."""
    return {"model_role": predictor.role, "model_version": predictor.version}
