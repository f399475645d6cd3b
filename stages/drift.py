"""Compare the frozen predictions with the held-out photos, window by window."""

import numpy as np

from flowers.drift import charts as charts
from flowers.drift.alarm import (
    compare,
    counts,
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
from stages._files import read_json, rounded, whole, write_csv, write_json
from stages._reference import read_reference
from stages._run import run

COLUMNS = ("start", "end", "predictions", "p_value", "effect", "differs")


def main(knobs):
    size, least = knobs["window"], knobs["min_predictions"]
    if least > size:
        raise BadInput(
            f"params.yaml: drift.min_predictions is {least}, more than drift.window, {size}: no "
            "window would ever be compared; lower it"
        )
    held_out, snapshot = read_reference("data/reference.csv"), read_json("metrics/snapshot.json")
    rows = np.load("data/snapshot.npy", mmap_mode="r")
    classes = held_out["classes"]
    kept = first_of_groups(held_out["group"])
    reference, shares = held_out["probabilities"][kept], np.array(rows["probabilities"])
    spans = windows_of(len(rows), size, least)
    p_values, effects = compared(reference, shares, spans)
    differing = differs(p_values, effects, knobs["alpha"], knobs["min_effect"])
    word = state(len(rows), differing)
    truth = np.array([classes.index(label) for label in held_out["label"]])
    report = {
        "state": word,
        "model_version": snapshot["model_version"],
        "md5": snapshot["md5"],
        "reference": {
            "photos": len(truth),
            "distinct": len(kept),
            "confidence": reference.max(axis=1).mean(),
            "accuracy": accuracy(reference, truth[kept])["accuracy"],
        },
        "windows": {"compared": len(spans), "differ": int(differing.sum())},
    }
    if len(rows):
        start, stop = spans[-1] if spans else (0, len(rows))
        newest = {"from": str(rows["time"][start]), "to": str(rows["time"][stop - 1])}
        facts = shares[start:stop], rows["truth"][start:stop]
        newest |= describe(reference, *facts, classes, knobs["seed"])
        tests = [*classes, "labels"]
        if spans:
            newest["tests"] = table(tests, p_values[-1], effects[-1])
            newest["warnings"] = image_warnings(knobs, held_out["image"][kept], rows[start:stop])
        report |= {"newest": newest, "all": accuracy(shares, rows["truth"])}
    write_json("metrics/drift.json", report)
    write_windows(rows["time"], spans, p_values, effects, differing)
    draw(reference, shares[slice(*spans[-1])] if spans else shares, classes)
    with whole("plots/drift_windows.svg") as target:
        drawn = charts.windows(p_values.min(axis=1), differing, knobs["alpha"]) if spans else None
        target.write_text(drawn or charts.nothing("Windows"))
    return f"{word}: {len(rows)} predictions, {differing.sum()} of {len(spans)} windows differ"


def compared(reference, shares, spans):
    """`compare` of all windows; the oldest may be shorter than the others."""
    outcomes = [(np.empty((0, shares.shape[1] + 1)),) * 2]
    for same in (spans[:1], spans[1:]):
        if same:
            first, last = same[0][0], same[-1][1]
            windows = shares[first:last].reshape(len(same), -1, shares.shape[1])
            outcomes.append(compare(reference, windows))
    return map(np.concatenate, zip(*outcomes, strict=True))


def table(names, p_values, effects):
    return {
        name: {"p_value": float(p), "effect": float(effect)}
        for name, p, effect in zip(names, p_values, effects, strict=True)
    }


def image_warnings(knobs, reference, rows):
    """Image statistics that differ: photos of another kind, whether or not answers suffer."""
    p_values, effects = kolmogorov_smirnov(reference, np.array(rows["image"])[None])
    p_values = holm(p_values)
    found = (p_values <= knobs["alpha"]) & (effects >= knobs["min_effect"])
    return [name for name, warned in zip(NAMES, found[0], strict=True) if warned]


def write_windows(times, spans, p_values, effects, differing):
    """One row per window, oldest first: its smallest adjusted p-value and its largest effect."""
    lines = [
        {
            "start": times[start],
            "end": times[stop - 1],
            "predictions": stop - start,
            "p_value": rounded(p.min()),
            "effect": rounded(effect.max()),
            "differs": int(differing_one),
        }
        for (start, stop), p, effect, differing_one in zip(
            spans, p_values, effects, differing, strict=True
        )
    ]
    write_csv("metrics/drift_windows.csv", lines, COLUMNS)


def draw(reference, newest, classes):
    expected = counts(reference) / len(reference)
    if len(newest):
        answered = charts.classes(expected, counts(newest) / len(newest), classes)
        confidence = charts.confidence(reference.max(axis=1), newest.max(axis=1))
    else:
        answered, confidence = charts.nothing("Answered classes"), charts.nothing("Confidence")
    with whole("plots/drift_classes.svg") as target:
        target.write_text(answered)
    with whole("plots/drift_confidence.svg") as target:
        target.write_text(confidence)


if __name__ == "__main__":
    run("drift", main)
