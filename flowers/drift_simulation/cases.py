"""Shifts to be noticed: what the model answers after each, and how often it is still right."""

from dataclasses import dataclass

import numpy as np

from flowers.drift import watch
from flowers.drift_simulation import shifts, traffic

SLOW = 2000  # photos over which a slow shift comes up
RARE = {"unknown": (0.2, 0.05)}  # shares of photos in place of those of the other shifts
TOGETHER = 4  # shifts whose photos are answered at once: the model is read once for them


@dataclass(frozen=True)
class Case:
    """A shift to be noticed.

    Attributes
    ----------
    after : ndarray of shape (m, n_classes)
        Answers about photos after the shift.
    correct : ndarray of shape (m,), bool
        Whether those are right.
    rows : ndarray of shape (m,)
        Which held-out photos they are.
    share : float
        Of the photos that are shifted.
    slow : int
        Photos over which the share comes up.
    mix : ndarray of shape (n_classes,) or None
        Of the classes after the shift.
    """

    after: np.ndarray
    correct: np.ndarray
    rows: np.ndarray
    share: float = 1.0
    slow: int = 0
    mix: np.ndarray | None = None

    @property
    def kind(self):
        """What the alarm should say."""
        return watch.PHOTOS if self.mix is None else watch.FLOWERS


def cases(held_out, answer, images, sizes, rows, shares):
    """Make every shift.

    Parameters
    ----------
    held_out : flowers.model.reference.Reference
    answer : callable
        From images and sizes to probabilities; as ``flowers.model.predictor.Model.probabilities``.
    images : ndarray of shape (m, s, s, 3), uint8
        Held-out photos that are shifted.
    sizes : ndarray of shape (m, 2), int
        Their width and height.
    rows : ndarray of shape (m,)
        Their rows in `held_out`.
    shares : sequence of float
        Of the photos that are shifted.

    Yields
    ------
    name : str
    case : Case
    """
    truth, before = held_out.truth, held_out.probabilities
    for name, after in _answers(answer, images, sizes):
        after = after.astype(before.dtype).round(6)
        right = after.argmax(axis=1) == truth[rows]
        right &= name not in shifts.WITHOUT_ANSWER
        for share in RARE.get(name, shares):
            yield f"{name}, {100 * share:.0f} %", Case(after, right, rows, share)
        if name == "grey":
            yield f"{name}, slowly", Case(after, right, rows, slow=SLOW)
    right, everything = before.argmax(axis=1) == truth, np.arange(len(truth))
    for name, weights in shifts.OF_CLASSES.items():
        mix = traffic.base_mix(truth, len(held_out.classes)) * weights(len(held_out.classes))
        yield name, Case(before, right, everything, mix=mix / mix.sum())


def _answers(answer, images, sizes):
    """Yield each shift of pixels and the answers about all photos after it."""
    names = list(shifts.OF_PIXELS)
    for some in (names[i : i + TOGETHER] for i in range(0, len(names), TOGETHER)):
        shifted = np.concatenate([shifts.apply(name, images) for name in some])
        found = answer(shifted, np.tile(sizes, (len(some), 1)))
        yield from zip(some, np.split(found, len(some)), strict=True)


def spread(rows, groups, count):
    """Choose `count` rows evenly, the first of each group before any other."""
    first = np.unique(groups[rows], return_index=True)[1]
    order = np.concatenate([np.sort(first), np.setdiff1d(np.arange(len(rows)), first)])
    firsts, others = order[: len(first)], order[len(first) :]
    if len(firsts) >= count:
        return rows[firsts[np.linspace(0, len(firsts) - 1, count).astype(int)]]
    return np.sort(rows[np.concatenate([firsts, others[: count - len(firsts)]])])
