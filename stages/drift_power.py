"""Simulate the drift detector: false-alarm rate without a shift, power for each shift."""

import numpy as np

from flowers.base.parallel import parallel_map
from flowers.base.tables import format_percent, read_csv, write_json, write_text
from flowers.drift import charts
from flowers.drift_simulation import power
from flowers.images.index import get_sizes
from flowers.model import folder as model_folder
from flowers.model.reference import read_reference
from stages.support.files import show_progress
from stages.support.run import run_stage
from stages.support.workers import use_stage_processes, use_stage_workers


def main(params):
    predictor = model_folder.load_predictor("models/candidate")
    whole = read_reference(model_folder.find_reference("models/candidate"))
    reference = whole.select(power.select_spread(whole.group, params["images"]))
    images = np.load("data/images.npy", mmap_mode="r")[reference.row]
    sizes = get_sizes(read_csv("data/index.csv"))[reference.row]
    detector_params = {"alpha": params["drift.alpha"], "window": params["drift.window"]}
    detector_params["proportion_tolerance"] = params["drift.proportion_tolerance"]
    distinct = len(np.unique(whole.group))
    options = (reference, predictor.predict_proba, images, sizes)
    with use_stage_workers():
        shifts = dict(power.build_shifts(*options, params["shifted_shares"]))
        copies = power.build_copies(*options)
    simulator = power.Simulator(reference, distinct, detector_params, params["seed"], copies)
    with use_stage_processes():
        rates = simulator.simulate_false_alarms(params["unshifted_streams"], power.TRAFFIC)
        false_alarms = dict(show_progress(rates, desc="false alarms", total=len(power.TRAFFIC)))
        tasks = ((shift, params["streams_per_shift"]) for shift in shifts.values())
        results = parallel_map(simulator.simulate_shift, tasks)
        results = show_progress(results, desc="shifts", total=len(shifts))
        rates = dict(zip(shifts, results, strict=True))
    figures = {"md5": predictor.md5, "distinct": simulator.distinct}
    figures |= {"accuracy": simulator.accuracy, "false_alarms": false_alarms, "shifts": rates}
    write_json("metrics/drift_power.json", figures)
    write_text("plots/drift_power.svg", charts.plot_power(false_alarms, rates))
    highest = max(figures["false_alarm_rate"] for figures in false_alarms.values())
    return (
        f"false-alarm rate at most {format_percent(highest)} in all traffic; {len(shifts)} shifts"
    )


if __name__ == "__main__":
    run_stage("drift_power", main)
