"""Simulate the drift detector: false-alarm rate without a shift, power for each shift."""

import numpy as np

from flowers.base.tables import read_csv, write_json, write_text
from flowers.drift_simulation import power
from flowers.drift_simulation.charts import plot_power
from flowers.images.index import get_sizes
from flowers.model import folder as model_folder
from flowers.model.reference import read_reference
from stages.support.files import show_progress
from stages.support.run import run_stage
from stages.support.workers import use_stage_processes, use_stage_workers


def build_simulator(detector, image_count, shares, seed):
    """Build the simulator of the candidate, its shifts by name, and the MD5 of the model."""
    predictor = model_folder.load_predictor("models/candidate")
    whole = read_reference(model_folder.find_reference("models/candidate"))
    reference = whole.select(power.select_spread(whole.group, image_count))
    images = np.load("data/images.npy", mmap_mode="r")[reference.row]
    sizes = get_sizes(read_csv("data/index.csv"))[reference.row]
    photos = (predictor.predict_images, images, sizes)
    with use_stage_workers():
        shifts = dict(power.build_shifts(reference, *photos, shares))
        copies = power.build_copies(*photos)
    options = len(np.unique(whole.group)), detector, seed, copies
    return power.Simulator(reference, *options), shifts, predictor.md5


def main(params):
    detector = {"alpha": params["drift.alpha"], "window": params["drift.window"]}
    detector["proportion_tolerance"] = params["drift.proportion_tolerance"]
    drawn = params["images"], params["shifted_shares"], params["seed"]
    simulator, shifts, md5 = build_simulator(detector, *drawn)
    with use_stage_processes():
        results = simulator.simulate_false_alarms(params["unshifted_streams"])
        false_alarms = dict(show_progress(results, desc="false alarms", total=len(power.TRAFFIC)))
        results = simulator.simulate_shifts(shifts, params["streams_per_shift"])
        rates = dict(show_progress(results, desc="shifts", total=len(shifts)))
    figures = {"md5": md5, "distinct": simulator.distinct, "accuracy": simulator.accuracy}
    figures |= {"false_alarms": false_alarms, "shifts": rates}
    write_json("metrics/drift_power.json", figures)
    write_text("plots/drift_power.svg", plot_power(false_alarms, rates))
    return f"{len(false_alarms)} kinds of traffic, {len(shifts)} shifts"


if __name__ == "__main__":
    run_stage("drift_power", main)
