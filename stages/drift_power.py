"""Simulate the drift detector: false-alarm rate without a shift, power for each shift."""

import numpy as np

from flowers.base.parallel import parallel_map
from flowers.base.tables import read_csv, write_json, write_text
from flowers.drift import charts
from flowers.drift_simulation.power import TRAFFIC, Simulator, build_shifts, select_spread
from flowers.images.index import get_sizes
from flowers.model import folder as model_folder
from flowers.model.reference import read_reference
from stages.support.files import show_progress
from stages.support.run import run_stage
from stages.support.workers import use_stage_processes, use_stage_workers


def main(params):
    predictor = model_folder.load_predictor("models/candidate")
    reference = read_reference(model_folder.find_reference("models/candidate"))
    rows = select_spread(reference.group, params["images"])
    images = np.load("data/images.npy", mmap_mode="r")[reference.row[rows]]
    sizes = get_sizes(read_csv("data/index.csv"))[reference.row[rows]]
    detector_params = {
        "wealth_limit": params["drift.wealth_limit"],
        "window": params["drift.window"],
        "alpha": params["drift.alpha"],
        "proportion_tolerance": params["drift.proportion_tolerance"],
    }
    simulator = Simulator(reference, detector_params, params["seed"])
    options = (predictor.predict_proba, images, sizes, rows, params["shifted_shares"])
    with use_stage_workers():
        shifts = dict(build_shifts(reference, *options))
    with use_stage_processes():
        rates = simulator.simulate_false_alarms(params["unshifted_streams"], TRAFFIC)
        false_alarms = dict(show_progress(rates, desc="false alarms", total=len(TRAFFIC)))
        tasks = ((shift, params["streams_per_shift"]) for shift in shifts.values())
        results = parallel_map(simulator.simulate_shift, tasks)
        results = show_progress(results, desc="shifts", total=len(shifts))
        power = dict(zip(shifts, results, strict=True))
    figures = {"md5": predictor.md5, "distinct": simulator.distinct}
    figures |= {"accuracy": simulator.accuracy, "false_alarms": false_alarms, "shifts": power}
    write_json("metrics/drift_power.json", figures)
    write_text("plots/drift_power.svg", charts.plot_power(false_alarms, power))
    rates = [f"{100 * f['false_alarm_rate']:.1f} % {name}" for name, f in false_alarms.items()]
    return f"false-alarm rate: {', '.join(rates)}; {len(power)} shifts"


if __name__ == "__main__":
    run_stage("drift_power", main)
