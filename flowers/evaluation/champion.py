"""The champion among the models, the gate it has to pass, and the card that goes with it."""

import hashlib
import sys
from importlib.metadata import version

from flowers.classify import probabilities
from flowers.evaluation.scores import mcnemar

LIBRARIES = ("joblib", "numpy", "Pillow", "scikit-learn", "scipy")


def champion(scores, correct, alpha):
    """Choose one model by accuracy, or by log loss among those that are not worse.

    The leader has the highest accuracy, then the higher lower bound, then the lower log loss. A
    model that the exact McNemar test does not tell from the leader takes its place if its log
    loss is lower.

    Parameters
    ----------
    scores : dict of model name to dict
        With ``accuracy``, ``accuracy_low``, ``log_loss``.
    correct : dict of model name to ndarray of shape (n,), bool
        Right or wrong on the same test photos.
    alpha : float in [0, 1]
        A p-value above it counts as not told apart.

    Returns
    -------
    name : str
    reasons : list of str
    """

    def rank(name):
        s = scores[name]
        return (-s["accuracy"], -s["accuracy_low"], s["log_loss"], name)

    leader, *others = sorted(scores, key=rank)
    reasons = [f"{leader} leads with accuracy {scores[leader]['accuracy']:.4f}"]
    best = leader
    for name in others:
        p = mcnemar(correct[leader], correct[name])["p_value"]
        told_apart = p <= alpha
        reasons.append(
            f"{name} has accuracy {scores[name]['accuracy']:.4f}, "
            f"{'worse' if told_apart else 'not told apart'} (exact McNemar p = {p:.4g})"
        )
        if not told_apart and scores[name]["log_loss"] < scores[best]["log_loss"]:
            best = name
    if best != leader:
        reasons.append(f"{best} has the lowest log loss of those not told apart")
    return best, reasons


def gate(scores, baseline, crossing, min_accuracy_low, max_log_loss):
    """The checks a candidate has to pass before it may be promoted.

    Parameters
    ----------
    scores : dict
        Of the champion.
    baseline : float
        Accuracy of always answering the most frequent class.
    crossing : int
        Test photos with a twin in train.
    min_accuracy_low, max_log_loss : float

    Returns
    -------
    list of dict
        ``check``, ``value``, ``limit``, ``passed``.
    """
    low, loss = scores["accuracy_low"], scores["log_loss"]
    checks = [
        ("test photos with a twin in train = 0", crossing, 0, crossing == 0),
        ("accuracy_low >= min_accuracy_low", low, min_accuracy_low, low >= min_accuracy_low),
        ("accuracy_low > accuracy of the baseline", low, baseline, low > baseline),
        ("log_loss <= max_log_loss", loss, max_log_loss, loss <= max_log_loss),
    ]
    names = ("check", "value", "limit", "passed")
    return [dict(zip(names, check, strict=True)) for check in checks]


def card(model_bytes, model, features, size, golden):
    """What a server has to know of a model, and how to see that it still answers the same.

    Parameters
    ----------
    model_bytes : bytes
        The content of the model file.
    model : estimator
        The same, loaded.
    features : list of str
        Keys of ``flowers.features.extraction.EXTRACTORS``.
    size : int
        Pixels a side.
    golden : dict of file name to bytes
        Photos whose answers are kept.

    Returns
    -------
    dict
    """
    return {
        "classes": [str(c) for c in model.classes_],
        "features": list(features),
        "size": size,
        "model": {
            "file": "model.joblib",
            "estimator": type(model).__name__,
            "params": model.get_params(),
            "bytes": len(model_bytes),
            "md5": hashlib.md5(model_bytes, usedforsecurity=False).hexdigest(),
            "sha256": hashlib.sha256(model_bytes).hexdigest(),
        },
        # The minor version alone: pickles do not depend on more.
        "versions": {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
        | {name: version(name) for name in LIBRARIES},
        "golden": [
            {"file": name, "probabilities": probabilities(data, model, features, size).tolist()}
            for name, data in golden.items()
        ],
    }
