"""Expected accuracy of predictions without labels, from their calibrated confidence.

Confidence-based performance estimation (CBPE; Guillory et al. 2021, "Predicting with Confidence on
Unseen Distributions", and the NannyML library): the mean probability of the predicted classes is
the expected accuracy of a calibrated model. Under label shift the probabilities are reweighted to
the estimated class proportions first (Saerens, Latinne & Decaestecker 2002). It is wrong where the
model is confident without reason: images of no known class, and shifts that fool the model.
"""

import numpy as np

from flowers.base.intervals import Z
from flowers.drift.label_shift import (
    average_by_class,
    compute_design_effects,
    compute_proportions,
    estimate_changes,
)


def estimate_accuracy(reference, probabilities):
    """Estimate the accuracy of predictions without their labels.

    The difference between accuracy and confidence on the reference set is added, so that a model
    that is not perfectly calibrated is estimated without bias where nothing has changed.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
        One row per near-duplicate group.
    probabilities : ndarray of shape (n, n_classes)
        In the order of time, n > 0.

    Returns
    -------
    dict
        ``estimate``, ``low`` and ``high``, range [0, 1]. The interval (95 %) covers chance in the
        predictions, their class proportions and the reference set; it does not cover a model that
        is no longer calibrated.
    """
    truth = reference.truth
    before = compute_proportions(reference)
    change, noise = estimate_changes(reference, probabilities)
    after = np.maximum(before + change, 0)
    ratio = np.where(before > 0, after / after.sum() / np.where(before > 0, before, 1), 1)
    expected = _reweight_confidence(probabilities, ratio)
    correct = reference.probabilities.argmax(axis=1) == truth
    gap = correct - _reweight_confidence(reference.probabilities, ratio)
    weights = ratio[truth] / max(ratio[truth].sum(), 1e-12)
    estimate = expected.mean() + weights @ gap
    (bursts,) = compute_design_effects((expected - expected.mean())[:, None], [len(expected)])
    recall = average_by_class(truth, len(before), correct[:, None].astype(float))[:, 0]
    variance = expected.var() * bursts / len(expected)
    variance += np.square(weights) @ np.square(gap - weights @ gap)
    variance += np.square(recall - before @ recall) @ np.square(noise)
    margin = Z * np.sqrt(variance)
    ends = np.clip([estimate, estimate - margin, estimate + margin], 0, 1)
    return dict(zip(("estimate", "low", "high"), ends.tolist(), strict=True))


def _reweight_confidence(probabilities, ratio):
    """Probability of each predicted class where class c is ``ratio[c]`` times as frequent, (n,)."""
    weighted = probabilities * ratio
    predicted = np.take_along_axis(weighted, probabilities.argmax(axis=1)[:, None], axis=1)[:, 0]
    total = weighted.sum(axis=1)
    return np.divide(predicted, total, out=np.zeros(len(total)), where=total > 0)
