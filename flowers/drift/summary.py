"""The drift report: state, verdict, alarm and figures of a stream of answers."""

from dataclasses import dataclass

import numpy as np

from flowers.drift import mix, watch
from flowers.drift.alarm import compare, holm, kolmogorov_smirnov
from flowers.drift.means import Means
from flowers.drift.neutral import Ranked
from flowers.drift.report import accuracy, describe
from flowers.drift.verdict import BETTER, HARMFUL, needed, verdict
from flowers.drift.watch import Ring
from flowers.drift.windows import Held, Windows, compared
from flowers.images.statistics import STATISTIC_NAMES
from flowers.log.record import UNKNOWN

# Fewer photos than these say nothing, and no alarm is not yet "ok".
LEAST = 100
# Of the verdict, where the held-out photos are too few to say how many labels it takes.
LABELS = 200


@dataclass(frozen=True)
class Stream:
    """A stream of answers, watched.

    Attributes
    ----------
    held : Held
    rows : ndarray of shape (n,)
        As of ``flowers.log.table.row_type``, from the last acknowledgement on.
    log_capital : ndarray of shape (n,)
    windows : Windows
    means : Means
    ring : Ring or None
    verdict : dict
    """

    held: Held
    rows: np.ndarray
    log_capital: np.ndarray
    windows: Windows
    means: Means
    ring: Ring | None
    verdict: dict

    @classmethod
    def of(cls, held_out, rows, params):
        """Watch a stream.

        Parameters
        ----------
        held_out : flowers.model.reference.Reference
        rows : ndarray of shape (n,)
        params : dict
            The section ``drift`` of params.yaml.
        """
        held, rows = Held.of(held_out), np.array(rows)
        size, tolerance = params["window"], params["proportion_tolerance"]
        windows = Windows.of(held, rows["probabilities"], size, tolerance)
        day = rows["time"].astype("M8[D]").astype(int)
        known = len(held.truth)
        ranked = Ranked(np.concatenate([held.probabilities, rows["probabilities"]]))
        table = ranked.values(np.arange(known), held.truth)
        log_capital = watch.capital(known, rows, ranked.bets(table[0], tolerance))
        given = ([x[some] for x in table] for some in (slice(known), slice(known, None)))
        means = Means.of(held.truth, *given, day, params)
        ring = watch.first_ring(log_capital, means, params)
        told = judged(held, rows, ring, params)
        if ring is None and told["word"] == HARMFUL:
            labelled = np.flatnonzero(rows["truth"] != UNKNOWN)[-told["labelled"] :]
            ring = Ring(watch.LABELS, int(labelled[0]), int(labelled[-1]))
        return cls(held, rows, log_capital, windows, means, ring, told)


def judged(held, rows, ring, params):
    """Judge the labels that came since an alarm began, or the newest ones."""
    before = held.probabilities.argmax(axis=1) == held.truth
    known = np.flatnonzero(rows["truth"] != UNKNOWN)
    if ring is None:
        enough = needed(
            before.mean(), len(before), params["max_accuracy_drop"], params["label_alpha"]
        )
        known = known[-(enough or LABELS) :]
    else:
        known = known[known >= ring.since]
    labelled = rows[known]
    correct = labelled["probabilities"].argmax(axis=1) == labelled["truth"]
    return verdict(correct, before, params["max_accuracy_drop"], params["label_alpha"])


def alarm_of(stream, classes, params):
    """Tell what rang, when and of what kind; None if nothing did.

    Returns
    -------
    dict or None
        ``detected_at``, ``since``, ``by``, ``kind``; of the photos since: the classes whose
        probability differs apart from the mix (``answers``), the image ``statistics`` that differ,
        and the estimated ``mix``.
    """
    ring, held = stream.ring, stream.held
    if ring is None:
        return None
    told = watch.stretch(ring, stream.rows, params["window"])
    (apart,), *_ = compared(held, told["probabilities"][None])
    return {
        "detected_at": str(stream.rows["time"][ring.at]),
        "since": str(stream.rows["time"][ring.since]),
        "by": ring.by,
        "kind": watch.kind(ring, stream.means, held, stream.rows["probabilities"], params),
        "answers": [c for c, p in zip(classes, apart, strict=True) if p <= params["alpha"]],
        "statistics": image_warnings(held.image, told["image"], params["alpha"]),
        "mix": mix_of(held, told["probabilities"], classes, params["alpha"]),
    }


def mix_of(held, probabilities, classes, alpha):
    """Estimate the share of each class, with its interval (1 - alpha, over all classes)."""
    change, noise = (x[0] for x in mix.changes(held.probabilities, held.truth, probabilities[None]))
    before = mix.one_hot(held.truth, len(classes)).mean(axis=0)
    margin = mix.sure(len(classes), alpha) * noise
    sides = {"share": before + change, "low": before + change - margin}
    sides |= {"high": before + change + margin, "held_out": before}
    shares = zip(*(np.clip(side, 0, 1).tolist() for side in sides.values()), strict=True)
    return {c: dict(zip(sides, four, strict=True)) for c, four in zip(classes, shares, strict=True)}


def image_warnings(reference, image, alpha):
    """Name image statistics that differ: photos of another kind, whether or not answers suffer.

    Parameters
    ----------
    reference, image : ndarray of shape (m, d), (n, d)
        A column with NaN is not compared: models and logs of old have no such number.
    alpha : float

    Returns
    -------
    list of str
    """
    known = np.isfinite(reference).all(axis=0) & np.isfinite(image).all(axis=0)
    p_values, _ = kolmogorov_smirnov(reference[:, known], image[None][:, :, known])
    names = np.array(STATISTIC_NAMES)[known]
    return names[(holm(p_values) <= alpha)[0]].tolist()


def drift_report(stream, standing, classes, params):
    """Tell the state of a stream, in the order of what matters.

    Parameters
    ----------
    stream : Stream
    standing : dict
        ``alarm``, the one that the log keeps until a person clears it, and ``acknowledged``, when
        that was last; each may be None.
    classes : sequence of str
    params : dict

    Returns
    -------
    dict
    """
    rows, held, windows = stream.rows, stream.held, stream.windows
    latched = standing["alarm"]
    alarm = latched or alarm_of(stream, classes, params)
    moved, differing = windows.moved(params["alpha"]), windows.differing(params["alpha"])
    report = {
        "state": state(len(rows), alarm, stream.verdict["word"], moved),
        "verdict": stream.verdict,
        "alarm": alarm and alarm | {"latched": latched is not None},
        "reference": {
            "distinct": len(held.truth),
            "confidence": held.probabilities.max(axis=1).mean(),
            "accuracy": stream.verdict["reference_accuracy"],
        },
        "windows": {
            "compared": len(windows.spans),
            "differ": int(differing.sum()),
            "proportion_moved": int(moved.any(axis=1).sum()),
        },
    }
    if not len(rows):
        if standing["acknowledged"] and not alarm:  # predictions there were, before
            report["state"] = "warming up"
        return report
    report["capital"] = {
        "now": float(np.exp(min(stream.log_capital[-1], 700))),
        "highest": float(np.exp(min(stream.log_capital.max(), 700))),
    }
    return report | newest(stream, classes, params)


def newest(stream, classes, params):
    """Give the figures of the newest photos, and the accuracy over all."""
    held, rows = stream.held, stream.rows
    inside = rows[-params["window"] :]
    shares = inside["probabilities"]
    told = {"from": str(inside["time"][0]), "to": str(inside["time"][-1])}
    told |= describe(held.probabilities, shares, inside["truth"], classes, params["seed"])
    if len(inside) >= LEAST:
        plain = [x[0] for x in compare(held.probabilities, shares[None])]
        apart = [*compared(held, shares[None])[0][0].tolist(), None]
        tests = zip((*classes, "labels"), *plain, apart, strict=True)
        told["tests"] = {
            name: {
                "p_value": float(p),
                "effect": float(effect),
                "p_value_label_shift_adjusted": rest,
            }
            for name, p, effect, rest in tests
        }
        told["mix"] = mix_of(held, shares, classes, params["alpha"])
        told["warnings"] = image_warnings(held.image, inside["image"], params["alpha"])
    return {"newest": told, "all": accuracy(rows["probabilities"], rows["truth"])}


def state(count, alarm, word, moved):
    """Give the word for a stream.

    Parameters
    ----------
    count : int
        Photos.
    alarm : dict or None
    word : str
        Of the verdict: more right answers than before are no alarm.
    moved : ndarray of shape (k, n_classes)
        Which classes are off in which windows.

    Returns
    -------
    {"no predictions", "warming up", "ok", "notice", "alarm"}
    """
    if alarm:
        return "notice" if word == BETTER else "alarm"
    if count < LEAST:
        return "warming up" if count else "no predictions"
    return "notice" if len(moved) and moved[-1].any() else "ok"
