"""Parameters chosen by cross-validation on the training rows, with a nested accuracy estimate."""

import joblib
import numpy as np
from sklearn.model_selection import StratifiedKFold

from flowers.base.errors import BadInput
from flowers.base.parallel import max_workers_for, track
from flowers.learning.folds import assign_fold_numbers, fit_fold, fold_copy_bytes


def to_list(value):
    """Return the values of a parameter that is one value or a list."""
    return list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value]


class Tuning:
    """Evaluate candidates on grouped folds and choose the most accurate one.

    The accuracy of the chosen candidate on the folds that chose it is a maximum, and so biased
    upwards. `nested_accuracy` chooses for each fold on the other folds alone (Varma & Simon 2006,
    "Bias in error estimation when using cross-validation for model selection"): the candidate that
    predicts a fold was neither fitted nor chosen with it. A fit without two folds serves the choice
    for either, so that k folds cost k (k - 1) / 2 more fits.

    Parameters
    ----------
    y : ndarray of shape (n,)
    folds : list of (train, test) pairs of ndarray of int, at least 3
        From `make_grouped_folds`.
    seed : int
        Of the random folds, which are stratified and ignore groups.

    Raises
    ------
    BadInput
        If there are fewer than three folds.
    """

    def __init__(self, y, folds, seed):
        count = len(folds)
        if count < 3:
            raise BadInput(f"folds is {count}: to choose from a list takes 3 folds or more")
        self._y = y
        self._count = count
        self._candidates = []
        self._fold = assign_fold_numbers(folds)
        self._pairs = [(i, j) for i in range(count) for j in range(i, count)]
        test_masks = [np.isin(self._fold, pair) for pair in self._pairs]
        self._tasks = [(np.flatnonzero(~test), np.flatnonzero(test)) for test in test_masks]
        # Random folds need a row of each class in each fold.
        if min(np.unique(y, return_counts=True)[1]) >= count:
            shuffled = StratifiedKFold(count, shuffle=True, random_state=seed)
            self._tasks += shuffled.split(y, y)

    def evaluate_candidate(self, params, classifier, X, to_labels):
        """Evaluate one candidate on all folds and pairs of folds.

        Parameters
        ----------
        params : dict of str to float
            Its row of the table; of equally accurate candidates the smallest values are chosen.
        classifier : classifier
            Unfitted, with a ``decision_function``; fits run where ``joblib.parallel_config`` says.
            Or an object whose ``fit_folds`` fits all folds together.
        X : ndarray of shape (n, n) or (n, d)
            Kernel values if the classifier takes them, else rows.
        to_labels : callable
            From classes and decision values to labels.
        """
        y = self._y

        def score_fold(train, test):
            if len(np.unique(y[train])) == 1:
                return y[test] == y[train[0]]
            return to_labels(*fit_fold(classifier, X, y, train, test)) == y[test]

        if hasattr(classifier, "fit_folds"):
            classes, decisions = classifier.fit_folds(X, y, self._tasks)
            folds = zip(decisions, self._tasks, strict=True)
            results = [to_labels(classes, values) == y[test] for values, (_, test) in folds]
        else:
            workers = max_workers_for(fold_copy_bytes(classifier, X, self._tasks))
            parallel = joblib.Parallel(workers, prefer="threads", return_as="generator")
            results = parallel(joblib.delayed(score_fold)(*task) for task in self._tasks)
            results = list(track(results, len(self._tasks), "folds of a candidate"))
        # Entry [i, r]: whether row r is correct by the fit without fold i and without its own fold.
        correct = np.zeros((self._count, len(y)), dtype=bool)
        for (i, j), (_, test), result in zip(self._pairs, self._tasks, results, strict=False):
            for left_out, own in ((i, j), (j, i)):
                correct[left_out, test[self._fold[test] == own]] = result[self._fold[test] == own]
        random = results[len(self._pairs) :]
        accuracy = float(np.concatenate(random).mean()) if random else ""
        self._candidates.append((params, correct, accuracy))

    def _find_best(self, score):
        ranked = [(-score(c), *params.values()) for params, c, _ in self._candidates]
        return min(range(len(ranked)), key=ranked.__getitem__)

    def _select_own_fold(self, correct):
        """Whether each row is correct by the fit without its own fold alone, shape (n,)."""
        return correct[self._fold, np.arange(len(self._y))]

    @property
    def best_params(self):
        """Parameters of the highest accuracy on grouped folds, the smallest of equals."""
        best = self._find_best(lambda correct: self._select_own_fold(correct).mean())
        return self._candidates[best][0]

    @property
    def nested_accuracy(self):
        """Accuracy on each fold of the candidate chosen on the other folds."""
        right = np.zeros(len(self._y), dtype=bool)
        for fold in range(self._count):
            own = self._fold == fold
            best = self._find_best(lambda correct, fold=fold, own=own: correct[fold, ~own].mean())
            right[own] = self._select_own_fold(self._candidates[best][1])[own]
        return float(right.mean())

    @property
    def table(self):
        """One dict per candidate.

        The parameters; ``grouped``, the accuracy on grouped folds; ``random``, the accuracy on
        random folds, which near-duplicates inflate, or empty; ``chosen``, 1 in one row.
        """
        best = self.best_params
        rows = []
        for params, correct, random in self._candidates:
            grouped = float(self._select_own_fold(correct).mean())
            chosen = int(params == best)
            rows.append(params | {"grouped": grouped, "random": random, "chosen": chosen})
        return rows
