"""Simulate the drift alarm on the held-out photos: how often it rings without and with a shift."""

from functools import partial

import numpy as np

from flowers import model_folder
from flowers.drift import charts
from flowers.drift.simulation import NO_SHIFT, alarm_rates, cases
from flowers.log.reference import read_reference
from flowers.photos.index import sizes_of
from flowers.tables import read_csv, write_json, write_text
from stages._run import run


def main(knobs):
    model = model_folder.load("models/candidate")
    held_out = read_reference(model_folder.reference("models/candidate"))
    images = np.load("data/images.npy", mmap_mode="r")[held_out["row"]]
    sizes = sizes_of(read_csv("data/index.csv"))[held_out["row"]]
    answer = partial(model.probabilities, sizes=sizes)
    rule = {"alpha": knobs["drift.alpha"], "min_effect": knobs["drift.min_effect"]}
    rates = {
        shift: {
            str(n): alarm_rates(case, n, knobs["repeats"], knobs["seed"], **rule)
            for n in knobs["sizes"]
        }
        for shift, case in cases(held_out, answer, images)
    }
    write_json("metrics/alarm.json", rates)
    write_text("plots/alarm.svg", charts.alarm(rates))
    false = max(rate["alarm"] for rate in rates[NO_SHIFT].values())
    return f"false alarms {100 * false:.2f} % at most"


if __name__ == "__main__":
    run("alarm", main)
