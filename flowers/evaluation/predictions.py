"""The answers of one classifier on the test photos, and the rows of tables made of them."""

from dataclasses import dataclass

import numpy as np

from flowers.base.errors import BadInput
from flowers.base.tables import round_floats, to_rows


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of the test photos, beside what they show.

    Attributes
    ----------
    labels, groups : ndarray of shape (n,)
    classes : ndarray of shape (n_classes,), str, sorted
    probabilities : ndarray of shape (n, n_classes), float64
    decision : ndarray of shape (n, n_classes), or (n,) with two classes
        Decision values before calibration.
    """

    labels: np.ndarray
    groups: np.ndarray
    classes: np.ndarray
    probabilities: np.ndarray
    decision: np.ndarray

    @classmethod
    def from_model(cls, model, X, labels, groups):
        """Let a fitted model answer.

        Parameters
        ----------
        model : GramSVC or CalibratedNB
        X : ndarray of shape (n, d)
        labels, groups : ndarray of shape (n,)

        Raises
        ------
        BadInput
            If a class of the test photos is unknown to the model.
        """
        unknown = sorted(map(str, set(labels) - set(model.classes_)))
        if unknown:
            raise BadInput(f"test photos of classes the model never saw: {unknown}; split again")
        decision = model.decision_function(X)
        return cls(labels, groups, model.classes_, model.calibrate_decision(decision), decision)

    @property
    def predicted(self):
        """The class of the highest probability, shape (n,)."""
        return self.classes[self.probabilities.argmax(axis=1)]

    @property
    def correct(self):
        """Whether the answer is the label, shape (n,)."""
        return self.predicted == self.labels

    @property
    def confidence(self):
        """The highest probability, shape (n,)."""
        return self.probabilities.max(axis=1)


def build_prediction_rows(answers, facts):
    """Rows of the table of predictions: one per test photo, with the answers of every model.

    Parameters
    ----------
    answers : dict of model name to Answers
    facts : dict of column to ndarray of shape (n,)
        What is known of each photo.

    Returns
    -------
    list of dict
        Probabilities as text with six digits.
    """
    rows = to_rows(facts)
    for name, given in answers.items():
        for row, label, probabilities in zip(
            rows, given.predicted, given.probabilities, strict=True
        ):
            row[name] = label
            row |= {
                f"{name}_{c}": f"{p:.6f}" for c, p in zip(given.classes, probabilities, strict=True)
            }
    return rows


def build_class_rows(figures):
    """Rows of the table of classes: one per model and class.

    Parameters
    ----------
    figures : dict of model name to dict
        With ``per_class``, as ``flowers.evaluation.metrics.compute_metrics`` gives them.
    """
    return [
        {"model": name, "class": label} | round_floats(found)
        for name, told in figures.items()
        for label, found in told["per_class"].items()
    ]


def select_model_rows(table, name):
    """Rows of one model out of the table that `build_class_rows` made, numbers as numbers.

    Parameters
    ----------
    table : dict of column to ndarray of str
        As ``flowers.base.tables.read_csv`` reads it.
    name : str

    Returns
    -------
    list of dict
        ``class``, ``precision``, ``recall``, ``f1`` and ``photos``.
    """
    chosen = np.flatnonzero(table["model"] == name)
    columns = {"class": str, "precision": float, "recall": float, "f1": float, "photos": int}
    return [{key: kind(table[key][i]) for key, kind in columns.items()} for i in chosen]


def find_confident_errors(answers, count):
    """Give the wrong answers of the most accurate model, the surest first.

    Parameters
    ----------
    answers : dict of model name to Answers
    count : int
        At most so many.

    Returns
    -------
    rows : ndarray of int
        Positions among the test photos.
    captions : list of str
    """
    best = max(answers.values(), key=lambda given: given.correct.sum())
    wrong = np.flatnonzero(~best.correct)
    worst = wrong[np.argsort(-best.confidence[wrong], kind="stable")][:count]
    captions = [f"{best.labels[i]}: {best.predicted[i]} {best.confidence[i]:.2f}" for i in worst]
    return worst, captions
