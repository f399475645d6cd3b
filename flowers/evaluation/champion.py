"""The champion among the models, the gate it has to pass, and the photos it is known by."""

from pathlib import Path

import numpy as np

from flowers.evaluation.metrics import run_mcnemar_test


def choose_champion(scores, correct, alpha):
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
        p = run_mcnemar_test(correct[leader], correct[name])["p_value"]
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


def check_gate(scores, baseline, leaked_test_photos, *, min_accuracy_low, max_log_loss):
    """Give the checks a candidate has to pass before it may be promoted.

    Parameters
    ----------
    scores : dict
        Of the champion.
    baseline : float
        Accuracy of always answering the most frequent class.
    leaked_test_photos : int
        Test photos with a twin in train.
    min_accuracy_low, max_log_loss : float

    Returns
    -------
    list of dict
        ``check``, ``value``, ``limit``, ``passed``.
    """
    low, loss = scores["accuracy_low"], scores["log_loss"]
    checks = [
        ("test images with a near-duplicate in train = 0", leaked_test_photos, 0, leaked_test_photos == 0),
        ("accuracy_low >= min_accuracy_low", low, min_accuracy_low, low >= min_accuracy_low),
        ("accuracy_low > baseline accuracy", low, baseline, low > baseline),
        ("log_loss <= max_log_loss", loss, max_log_loss, loss <= max_log_loss),
    ]
    names = ("check", "value", "limit", "passed")
    return [dict(zip(names, check, strict=True)) for check in checks]


def decide_promotion(figures, answered, leaked_test_photos, *, alpha, **limits):
    """Choose the champion and let it pass the gate.

    Parameters
    ----------
    figures : dict
        As of ``flowers.evaluation.metrics.summarise_evaluation``.
    answered : dict of column to ndarray of shape (n,), str
        ``label``, and a column of answers for each model.
    leaked_test_photos : int
        Test photos with a twin in train.
    alpha : float
        As of `choose_champion`.
    **limits : float
        As of `check_gate`.

    Returns
    -------
    dict
        ``champion``, ``passed``, ``reasons``, ``checks``.
    """
    models = {name: told for name, told in figures.items() if name in answered}
    correct = {name: answered[name] == answered["label"] for name in models}
    name, reasons = choose_champion(models, correct, alpha)
    checks = check_gate(figures[name], figures["baseline_accuracy"], leaked_test_photos, **limits)
    passed = all(check["passed"] for check in checks)
    return {"champion": name, "passed": passed, "reasons": reasons, "checks": checks}


def choose_golden_images(photos, rows, count):
    """Test photos to keep, each class in its turn, by a name that tells row and class.

    Parameters
    ----------
    photos : pathlib.Path
        The folder of the photos.
    rows : dict of column to ndarray of shape (n,), str
        ``row``, ``path`` and ``label`` of the test photos.
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
    paths = [Path(photos, rows["path"][i]) for i in chosen]
    return {
        f"{rows['row'][i]}-{path.parent.name}{path.suffix}": path.read_bytes()
        for i, path in zip(chosen, paths, strict=True)
    }
