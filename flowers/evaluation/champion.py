"""The choice of the champion, the promotion gate and the golden images."""

from pathlib import Path

import numpy as np

from flowers.base.tables import format_share
from flowers.evaluation.metrics import run_mcnemar_test


def choose_champion(metrics, correct, alpha):
    """Choose a model by accuracy, then by log loss among those that are not significantly worse.

    The leader has the highest accuracy, then the higher lower bound, then the lower log loss.
    Another model replaces it if its log loss is lower and the exact McNemar test does not find the
    two different.

    Parameters
    ----------
    metrics : dict of model name to dict
        With ``accuracy``, ``accuracy_low``, ``log_loss``.
    correct : dict of model name to ndarray of shape (n,), bool
        Whether each prediction is correct, on the same test images.
    alpha : float in [0, 1]
        Significance level; above it two models count as equal.

    Returns
    -------
    name : str
    reasons : list of str
    """

    def rank_model(name):
        m = metrics[name]
        return (-m["accuracy"], -m["accuracy_low"], m["log_loss"], name)

    leader, *others = sorted(metrics, key=rank_model)
    reasons = [f"{leader} has the highest accuracy, {format_share(metrics[leader]['accuracy'])}"]
    best = leader
    for name in others:
        p = run_mcnemar_test(correct[leader], correct[name])["p_value"]
        worse = p <= alpha
        reasons.append(
            f"{name} has accuracy {format_share(metrics[name]['accuracy'])}, "
            f"{'' if worse else 'not '}significantly worse (exact McNemar p = {p:.4g})"
        )
        if not worse and metrics[name]["log_loss"] < metrics[best]["log_loss"]:
            best = name
    if best != leader:
        reasons.append(f"{best} has the lowest log loss of those not significantly worse")
    return best, reasons


def check_gate(metrics, baseline, leaked, *, min_accuracy_low, max_log_loss):
    """Check the conditions of a promotion.

    Parameters
    ----------
    metrics : dict
        Of the champion.
    baseline : float
        Accuracy of always predicting the most frequent class.
    leaked : int
        Test images with a near-duplicate in train.
    min_accuracy_low, max_log_loss : float

    Returns
    -------
    list of dict
        ``check``, ``value``, ``limit``, ``passed``.
    """
    low = metrics["accuracy_low"]
    loss = metrics["log_loss"]
    checks = [
        ("test images with a near-duplicate in train = 0", leaked, 0, leaked == 0),
        ("accuracy_low >= min_accuracy_low", low, min_accuracy_low, low >= min_accuracy_low),
        ("accuracy_low > baseline accuracy", low, baseline, low > baseline),
        ("log_loss <= max_log_loss", loss, max_log_loss, loss <= max_log_loss),
    ]
    names = ("check", "value", "limit", "passed")
    return [dict(zip(names, check, strict=True)) for check in checks]


def decide_promotion(evaluation, predictions, leaked, *, alpha, **limits):
    """Choose the champion and check its gate.

    Parameters
    ----------
    evaluation : dict
        From ``flowers.evaluation.comparison.summarise_evaluation``.
    predictions : dict of column to ndarray of shape (n,), str
        ``label``, and a column of predicted classes for each model.
    leaked, alpha, **limits
        See `choose_champion` and `check_gate`.

    Returns
    -------
    dict
        ``champion``, ``passed``, ``reasons``, ``checks``.
    """
    models = {name: metrics for name, metrics in evaluation.items() if name in predictions}
    correct = {name: predictions[name] == predictions["label"] for name in models}
    name, reasons = choose_champion(models, correct, alpha)
    checks = check_gate(models[name], evaluation["baseline_accuracy"], leaked, **limits)
    passed = all(check["passed"] for check in checks)
    return {"champion": name, "passed": passed, "reasons": reasons, "checks": checks}


def describe_decision(decision):
    """Describe the result of `decide_promotion` in one line."""
    failed = [check["check"] for check in decision["checks"] if not check["passed"]]
    gate = f"gate failed: {'; '.join(failed)}" if failed else "gate passed"
    return f"{decision['champion']} is the candidate; {gate}"


def choose_golden_images(folder, rows, count):
    """Choose `count` test images that are stored with the model, the classes in turn.

    Parameters
    ----------
    folder : path-like
        The folder of the images.
    rows : dict of column to ndarray of shape (n,), str
        ``row``, ``path`` and ``label`` of the test images.
    count : int

    Returns
    -------
    dict of file name to bytes
    """
    rank = np.zeros(len(rows["label"]), dtype=int)
    for label in np.unique(rows["label"]):
        same = rows["label"] == label
        rank[same] = np.arange(same.sum())
    chosen = np.lexsort((rows["label"], rank))[:count]
    paths = [Path(folder, rows["path"][i]) for i in chosen]
    return {
        f"{rows['row'][i]}-{path.parent.name}{path.suffix}": path.read_bytes()
        for i, path in zip(chosen, paths, strict=True)
    }
