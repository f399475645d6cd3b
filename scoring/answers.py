"""A prediction as users get it, over HTTP and from the command line."""


def prediction(model, answer):
    """What is told of an answer.

    Parameters
    ----------
    model : Model
    answer : Answer
        Of this model.

    Returns
    -------
    dict
        ``label``, ``confidence``, ``sure``, ``probabilities`` by class, and the model they come
        from. ``sure`` is false where held-out photos were wrong at least as often as right.
    """
    confidence = float(answer.probabilities.max())
    return {
        "label": answer.label,
        "confidence": confidence,
        "sure": confidence >= model.confidence_threshold,
        "probabilities": dict(zip(model.classes, answer.probabilities.tolist(), strict=True)),
        "model_used": model.role,
        "model_version": model.version,
    }
