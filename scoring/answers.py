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
        ``label``, ``confidence``, ``probabilities`` by class, and the model they come from.
    """
    return {
        "label": answer.label,
        "confidence": float(answer.probabilities.max()),
        "probabilities": dict(zip(model.classes, answer.probabilities.tolist(), strict=True)),
        "model_used": model.used,
        "model_version": model.version,
    }
