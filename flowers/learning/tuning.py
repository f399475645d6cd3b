"""Knobs chosen on held-out folds of the training rows, and what the choice is worth."""

import joblib
import numpy as np
from sklearn.model_selection import StratifiedKFold

from flowers.base.errors import BadInput
from flowers.base.parallel import max_workers_for
from flowers.learning.folds import (
    assign_fold_numbers,
    fit_fold,
    fold_copy_bytes,
    make_grouped_folds,
)


def to_list(value):
    """Make a list of a knob that may be one value or several to choose from."""
    return list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value]


class Tuning:
    """Try machines on folds that keep groups whole, and choose the one that is right most often.

    The accuracy of the chosen machine on the folds it was chosen by is the highest of several, and
    so too high. `nested_accuracy` chooses anew for each fold, on the others alone (Varma & Simon
    2006, "Bias in error estimation when using cross-validation for model selection"): the machine
    that is asked about a fold was neither fitted nor chosen with it. Two folds that are left out
    together serve the choice for either, so that k folds cost k (k - 1) / 2 more fits.

    Parameters
    ----------
    y : ndarray of shape (n,)
    groups : ndarray of shape (n,), or None
        Rows of one group stay in one fold; without it, each row is its own group.
    folds : int, >= 3
    seed : int

    Raises
    ------
    BadInput
        If there are less than three folds, or a class has fewer groups than folds.
    """

    def __init__(self, y, groups, folds, seed):
        if folds < 3:
            raise BadInput(f"folds is {folds}: to choose from a list takes 3 folds or more")
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        self._y, self._candidates = y, []
        self._fold = assign_fold_numbers(make_grouped_folds(y, groups, folds, seed))
        shuffled = StratifiedKFold(folds, shuffle=True, random_state=seed)
        # Only where each class has a row for each fold: else random folds show nothing.
        least = min(np.unique(y, return_counts=True)[1])
        self._random = list(shuffled.split(y, y)) if least >= folds else []
        self._folds = folds

    def evaluate_candidate(self, params, machine, X, labels):
        """Try one machine.

        Parameters
        ----------
        params : dict of str to float
            Its row of the table; smaller values are preferred among equals.
        machine : classifier
            Unfitted, with a ``decision_function``. Fits run where ``joblib.parallel_config`` says.
            Or, with a method ``fit_folds``, one that fits on all folds together.
        X : ndarray of shape (n, n) or (n, d)
            Kernel values if the machine takes them, else rows.
        labels : callable
            From classes and decision values to labels.
        """

        def right(train, rows):
            if len(np.unique(self._y[train])) == 1:
                return self._y[rows] == self._y[train[0]]
            return labels(*fit_fold(machine, X, self._y, train, rows)) == self._y[rows]

        away = [(i, j) for i in range(self._folds) for j in range(i, self._folds)]
        parts = [np.isin(self._fold, pair) for pair in away]
        tasks = [(np.flatnonzero(~out), np.flatnonzero(out)) for out in parts] + self._random
        if hasattr(machine, "fit_folds"):
            classes, values = machine.fit_folds(X, self._y, tasks)
            answers = zip(tasks, values, strict=True)
            done = [labels(classes, told) == self._y[rows] for (_, rows), told in answers]
        else:
            parallel = joblib.Parallel(
                max_workers_for(fold_copy_bytes(machine, X, tasks)), prefer="threads"
            )
            done = parallel(joblib.delayed(right)(*task) for task in tasks)
        # Entry [i, r]: whether row r is right when fold i is away as well as its own.
        correct = np.zeros((self._folds, len(self._y)), dtype=bool)
        for (i, j), (_, rows), found in zip(away, tasks, done, strict=False):
            for one, other in ((i, j), (j, i)):
                correct[one, rows[self._fold[rows] == other]] = found[self._fold[rows] == other]
        leaky = np.concatenate(done[len(away) :]).mean() if self._random else None
        self._candidates.append((params, correct, leaky))

    def _best(self, score):
        ranked = [(-score(c), *params.values()) for params, c, _ in self._candidates]
        return min(range(len(ranked)), key=ranked.__getitem__)

    def _alone(self, correct):
        """Whether each row is right when only its own fold is away, shape (n,)."""
        return correct[self._fold, np.arange(len(self._y))]

    @property
    def best_params(self):
        """The params that are right most often on grouped folds, the smallest of the best."""
        return self._candidates[self._best(lambda correct: self._alone(correct).mean())][0]

    @property
    def nested_accuracy(self):
        """Accuracy on each fold of the machine chosen on the other folds."""
        right = np.zeros(len(self._y), dtype=bool)
        for fold in range(self._folds):
            own = self._fold == fold
            best = self._best(lambda correct, fold=fold, own=own: correct[fold, ~own].mean())
            right[own] = self._alone(self._candidates[best][1])[own]
        return float(right.mean())

    @property
    def table(self):
        """One row per attempt.

        Returns
        -------
        list of dict
            The params; ``grouped``, the accuracy on folds that keep groups whole; ``random``, on
            folds drawn at random, which measures memory too; ``chosen``, 1 in one row.
        """
        chosen = self.best_params
        return [
            params
            | {
                "grouped": float(self._alone(correct).mean()),
                "random": "" if leaky is None else float(leaky),
                "chosen": int(params == chosen),
            }
            for params, correct, leaky in self._candidates
        ]
