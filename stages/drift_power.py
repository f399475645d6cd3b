"""Simulate the drift alarm on held-out photos: false alarms a month, and how soon a shift rings."""

import numpy as np

from flowers.base.parallel import parallel_map
from flowers.base.tables import read_csv, write_json, write_text
from flowers.drift import charts
from flowers.drift_simulation.cases import cases, spread
from flowers.drift_simulation.simulation import TRAFFIC, Simulator
from flowers.images.index import get_sizes
from flowers.model import folder as model_folder
from flowers.model.reference import read_reference
from stages.support.files import show_progress
from stages.support.run import run_stage
from stages.support.workers import use_stage_processes, use_stage_workers


def main(params):
    model = model_folder.load_predictor("models/candidate")
    held_out = read_reference(model_folder.find_reference("models/candidate"))
    rows = spread(np.arange(len(held_out.row)), held_out.group, params["images"])
    images = np.load("data/images.npy", mmap_mode="r")[held_out.row[rows]]
    sizes = get_sizes(read_csv("data/index.csv"))[held_out.row[rows]]
    watched = {
        "wealth_limit": params["drift.wealth_limit"],
        "window": params["drift.window"],
        "alpha": params["drift.alpha"],
        "proportion_tolerance": params["drift.proportion_tolerance"],
    }
    simulator = Simulator(held_out, watched, params["seed"])
    with use_stage_workers():
        made = dict(
            cases(held_out, model.predict_proba, images, sizes, rows, params["shifted_shares"])
        )
    with use_stage_processes():
        quiet = simulator.false_alarms(params["quiet_streams"], TRAFFIC)
        months = dict(show_progress(quiet, desc="months", total=len(TRAFFIC)))
        tasks = ((case, params["streams_per_shift"]) for case in made.values())
        told = show_progress(
            parallel_map(simulator.detection, tasks), desc="shifts", total=len(made)
        )
        found = dict(zip(made, told, strict=True))
    told = {"distinct": simulator.distinct, "accuracy": simulator.accuracy}
    write_json("metrics/drift_power.json", told | {"false_alarms": months, "shifts": found})
    write_text("plots/drift_power.svg", charts.alarm(months, found))
    false = [f"{100 * month['false_alarm_rate']:.1f} % {name}" for name, month in months.items()]
    return f"months with a false alarm: {', '.join(false)}; {len(found)} shifts"


if __name__ == "__main__":
    run_stage("drift_power", main)
