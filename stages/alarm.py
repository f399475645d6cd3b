"""Simulate the drift alarm on held-out photos: false alarms a month, and how soon a shift rings."""

import numpy as np

from flowers import model_folder
from flowers.drift import charts
from flowers.drift.cases import cases, spread
from flowers.drift.simulation import TRAFFIC, Simulator
from flowers.log.reference import read_reference
from flowers.parallel import each
from flowers.photos.index import sizes_of
from flowers.tables import read_csv, write_json, write_text
from stages._files import progress
from stages._run import run
from stages._workers import stage_processes, stage_workers


def main(knobs):
    model = model_folder.load("models/candidate")
    held_out = read_reference(model_folder.reference("models/candidate"))
    rows = spread(np.arange(len(held_out["row"])), held_out["group"], knobs["photos"])
    images = np.load("data/images.npy", mmap_mode="r")[held_out["row"][rows]]
    sizes = sizes_of(read_csv("data/index.csv"))[held_out["row"][rows]]
    watched = {
        "capital": knobs["drift.capital"],
        "window": knobs["drift.window"],
        "alpha": knobs["drift.alpha"],
        "mix_tolerance": knobs["drift.mix_tolerance"],
    }
    simulator = Simulator(held_out, watched, knobs["seed"])
    with stage_workers():
        made = dict(cases(held_out, model.probabilities, images, sizes, rows, knobs["shares"]))
    with stage_processes():
        quiet = simulator.false_alarms(knobs["months"], TRAFFIC)
        months = dict(progress(quiet, desc="months", total=len(TRAFFIC)))
        tasks = ((case, knobs["streams"]) for case in made.values())
        told = progress(each(simulator.detection, tasks), desc="shifts", total=len(made))
        found = dict(zip(made, told, strict=True))
    told = {"distinct": simulator.distinct, "accuracy": simulator.accuracy}
    write_json("metrics/alarm.json", told | {"false_alarms": months, "shifts": found})
    write_text("plots/alarm.svg", charts.alarm(months, found))
    false = [f"{100 * month['rang']:.1f} % {name}" for name, month in months.items()]
    return f"months with a false alarm: {', '.join(false)}; {len(found)} shifts"


if __name__ == "__main__":
    run("alarm", main)
