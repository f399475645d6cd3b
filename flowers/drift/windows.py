"""The windows of a log against the held-out photos: compared, reported, tabled."""

from dataclasses import dataclass

import numpy as np

from flowers.drift.alarm import (
    compare,
    differs,
    first_of_groups,
    holm,
    kolmogorov_smirnov,
    state,
    windows_of,
)
from flowers.drift.report import accuracy, describe
from flowers.errors import BadInput
from flowers.photos.statistics import NAMES
from flowers.tables import rounded

COLUMNS = ("start", "end", "predictions", "p_value", "effect", "differs")


@dataclass(frozen=True)
class Windows:
    """The windows of a log, oldest first.

    Attributes
    ----------
    spans : list of (start, stop)
    p_values, effects : ndarray of shape (k, n_classes + 1)
        As of ``flowers.drift.alarm.compare``.
    differing : ndarray of shape (k,), bool
    """

    spans: list
    p_values: np.ndarray
    effects: np.ndarray
    differing: np.ndarray

    @classmethod
    def of(cls, held_out, rows, knobs):
        """Compare all windows of a log.

        Parameters
        ----------
        held_out : dict
            As of ``flowers.log.reference.read_reference``.
        rows : ndarray of shape (n,)
            As of ``flowers.log.table.row_type``.
        knobs : dict
            ``window``, ``min_predictions``, ``alpha``, ``min_effect``.

        Raises
        ------
        BadInput
            If no window could ever be compared.
        """
        size, least = knobs["window"], knobs["min_predictions"]
        if least > size:
            raise BadInput(
                f"params.yaml: drift.min_predictions is {least}, more than drift.window, {size}: "
                "no window would ever be compared; lower it"
            )
        reference = held_out["probabilities"][first_of_groups(held_out["group"])]
        shares, spans = np.array(rows["probabilities"]), windows_of(len(rows), size, least)
        outcomes = [(np.empty((0, shares.shape[1] + 1)),) * 2]
        # The oldest window may be shorter than the others.
        for same in (spans[:1], spans[1:]):
            if same:
                inside = shares[same[0][0] : same[-1][1]]
                outcomes.append(compare(reference, inside.reshape(len(same), -1, shares.shape[1])))
        p_values, effects = map(np.concatenate, zip(*outcomes, strict=True))
        differing = differs(p_values, effects, knobs["alpha"], knobs["min_effect"])
        return cls(spans, p_values, effects, differing)

    def rows(self, times):
        """Rows of the table of windows: smallest adjusted p-value and largest effect of each."""
        return [
            {
                "start": times[start],
                "end": times[stop - 1],
                "predictions": stop - start,
                "p_value": rounded(p.min()),
                "effect": rounded(effect.max()),
                "differs": int(differing),
            }
            for (start, stop), p, effect, differing in zip(
                self.spans, self.p_values, self.effects, self.differing, strict=True
            )
        ]


def drift_report(held_out, rows, windows, knobs):
    """Tell the state of a log: of its newest window, and of all of it.

    Parameters
    ----------
    held_out, rows, knobs
        As of `Windows.of`; ``seed`` is of the noise floor.
    windows : Windows

    Returns
    -------
    dict
    """
    classes, kept = held_out["classes"], first_of_groups(held_out["group"])
    reference = held_out["probabilities"][kept]
    report = {
        "state": state(len(rows), windows.differing),
        "reference": {
            "photos": len(held_out["truth"]),
            "distinct": len(kept),
            "confidence": reference.max(axis=1).mean(),
            "accuracy": accuracy(reference, held_out["truth"][kept])["accuracy"],
        },
        "windows": {"compared": len(windows.spans), "differ": int(windows.differing.sum())},
    }
    if not len(rows):
        return report
    start, stop = windows.spans[-1] if windows.spans else (0, len(rows))
    inside, shares = rows[start:stop], np.array(rows["probabilities"])
    newest = {"from": str(inside["time"][0]), "to": str(inside["time"][-1])}
    newest |= describe(reference, shares[start:stop], inside["truth"], classes, knobs["seed"])
    if windows.spans:
        tests = zip((*classes, "labels"), windows.p_values[-1], windows.effects[-1], strict=True)
        newest["tests"] = {
            name: {"p_value": float(p), "effect": float(effect)} for name, p, effect in tests
        }
        newest["warnings"] = image_warnings(held_out["image"][kept], inside["image"], knobs)
    return report | {"newest": newest, "all": accuracy(shares, rows["truth"])}


def image_warnings(reference, image, knobs):
    """Name image statistics that differ: photos of another kind, whether or not answers suffer.

    Parameters
    ----------
    reference, image : ndarray of shape (m, d), (n, d)
    knobs : dict
        ``alpha`` and ``min_effect``.

    Returns
    -------
    list of str
    """
    p_values, effects = kolmogorov_smirnov(reference, np.array(image)[None])
    found = (holm(p_values) <= knobs["alpha"]) & (effects >= knobs["min_effect"])
    return [name for name, warned in zip(NAMES, found[0], strict=True) if warned]
