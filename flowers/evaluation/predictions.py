"""The predictions of a classifier on the test images, and the table rows built from them."""

from dataclasses import dataclass

import numpy as np

from flowers.base.errors import BadInput
from flowers.base.tables import to_rows

DISPLAY_NAMES = {"svm": "SVM", "nb": "Gaussian naive Bayes"}


def get_display_name(name, classifier=""):
    """Return the name of a model for a chart or a page.

    Parameters
    ----------
    name : str
        "svm", "nb" or another one.
    classifier : str
        Description of the model, whose first word names one that is not in `DISPLAY_NAMES`.

    Examples
    --------
    >>> get_display_name("svm"), get_display_name("other", "RidgeClassifier(alpha=2)")
    ('SVM', 'RidgeClassifier')
    """
    return DISPLAY_NAMES.get(name) or classifier.partition("(")[0] or name


@dataclass(frozen=True)
class Predictions:
    """Labels and predictions of the test images.

    Attributes
    ----------
    labels, groups : ndarray of shape (n,)
        Near-duplicates share a group.
    classes : ndarray of shape (n_classes,), str, sorted
    probabilities : ndarray of shape (n, n_classes), float64
    decision : ndarray of shape (n, n_classes), or (n,) with two classes
        Decision values before calibration.
    leaked : ndarray of shape (n,), bool, optional
        Whether an image has a near-duplicate in train.
    classifier : str
        Description of the model, for people.
    """

    labels: np.ndarray
    groups: np.ndarray
    classes: np.ndarray
    probabilities: np.ndarray
    decision: np.ndarray
    leaked: np.ndarray | None = None
    classifier: str = ""

    @classmethod
    def from_model(cls, model, X, labels, groups, leaked=None):
        """Predict the test images with a fitted model.

        Parameters
        ----------
        model : CalibratedClassifier
        X : ndarray of shape (n, d)
        labels, groups, leaked : ndarray of shape (n,)

        Raises
        ------
        BadInput
            If a label is not among the classes of the model.
        """
        unknown = sorted(map(str, set(labels) - set(model.classes_)))
        if unknown:
            raise BadInput(f"the training part has no image of the classes {unknown}; split again")
        decision = model.decision_function(X)
        probabilities = model.calibrate_decision(decision)
        return cls(
            labels, groups, model.classes_, probabilities, decision, leaked, model.describe()
        )

    @property
    def predicted(self):
        """Class of the highest probability, shape (n,)."""
        return self.classes[self.probabilities.argmax(axis=1)]

    @property
    def correct(self):
        """Whether the predicted class is the label, shape (n,), bool."""
        return self.predicted == self.labels

    @property
    def confidence(self):
        """Highest probability, shape (n,)."""
        return self.probabilities.max(axis=1)


def build_rows(predictions, index, test):
    """Build the table of predictions: one row per test image, with the predictions of each model.

    Parameters
    ----------
    predictions : dict of model name to Predictions
    index : dict of column name to ndarray
        Of all images, with ``path``, ``sha256`` and ``label``.
    test : ndarray of shape (n,), int
        Rows of the test images in `index`.

    Returns
    -------
    list of dict
        ``row``, ``path``, ``sha256``, ``label``, ``group``; the predicted class of each model and
        its probabilities as text with six decimals.
    """
    columns = {"row": test} | {key: index[key][test] for key in ("path", "sha256", "label")}
    rows = to_rows(columns | {"group": next(iter(predictions.values())).groups})
    for name, model in predictions.items():
        names = [f"{name}_{c}" for c in model.classes]
        for row, label, values in zip(rows, model.predicted, model.probabilities, strict=True):
            row[name] = label
            row |= {column: f"{p:.6f}" for column, p in zip(names, values, strict=True)}
    return rows


def find_most_accurate(predictions):
    """Return the name of the model with the most correct predictions; of equal ones the first."""
    return max(predictions, key=lambda name: predictions[name].correct.sum())


def find_confident_errors(predictions, count):
    """Find the wrong predictions of the most accurate model, highest confidence first.

    Parameters
    ----------
    predictions : dict of model name to Predictions
    count : int
        Maximum number of errors.

    Returns
    -------
    rows : ndarray of int
        Positions among the test images.
    captions : list of str
    """
    best = predictions[find_most_accurate(predictions)]
    wrong = np.flatnonzero(~best.correct)
    rows = wrong[np.argsort(-best.confidence[wrong], kind="stable")][:count]
    captions = [f"{best.labels[i]}: {best.predicted[i]} {best.confidence[i]:.2f}" for i in rows]
    return rows, captions
