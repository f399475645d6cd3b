"""Simulate the drift alarm on the held-out photos: how often it rings without and with a shift."""

import numpy as np

from flowers.drift import charts as drift_charts
from flowers.drift.shifts import NAMES, OF_CLASSES, OF_PIXELS, apply
from flowers.drift.simulation import alarm_rates
from flowers.features.extraction import extract
from flowers.model_files import load
from stages._files import whole, write_json
from stages._reference import read_reference
from stages._run import run

NO_SHIFT = "no shift"


def main(knobs):
    held_out = read_reference("models/candidate/reference.csv")
    model, classes = load("models/candidate/model.joblib"), held_out["classes"]
    images = np.load("data/images.npy", mmap_mode="r")[held_out["row"]]
    before, groups = held_out["probabilities"], held_out["group"]
    code = np.array([classes.index(label) for label in held_out["label"]])
    even = np.ones(len(code))
    rates = {}
    for shift in (NO_SHIFT, *NAMES):
        after, weights = before, even
        if shift in OF_PIXELS:
            X = extract(apply(shift, images), knobs["flatten.features"])
            after = model.predict_proba(X).astype(before.dtype)
        if shift in OF_CLASSES:
            weights = OF_CLASSES[shift](len(classes))[code]
        rates[shift] = {
            str(n): alarm_rates(
                *(before, after, groups, weights, n, knobs["repeats"]),
                *(knobs["drift.alpha"], knobs["drift.min_effect"], knobs["seed"]),
            )
            for n in knobs["sizes"]
        }
    write_json("metrics/alarm.json", rates)
    with whole("plots/alarm.svg") as target:
        target.write_text(drift_charts.alarm(rates))
    false = max(rate["alarm"] for rate in rates[NO_SHIFT].values())
    return f"false alarms {100 * false:.2f} % at most"


if __name__ == "__main__":
    run("alarm", main)
