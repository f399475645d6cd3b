"""Race the drift detector against Evidently and ADWIN: python -m benchmarks.drift.

All read the same simulated streams of the candidate's reference images, as in `make power`. Needs
the extra `peers`. Writes benchmarks/drift.json.
"""

import time
from collections import defaultdict

import numpy as np
from tqdm import tqdm

from benchmarks.measure import require_packages
from flowers.base.tables import write_json
from flowers.drift.detector import detect
from flowers.drift_simulation.power import STREAM_LENGTH, TRAFFIC, compute_delays
from stages.drift_power import build_simulator
from stages.support.run import read_yaml
from study.repository import ROOT

STREAMS = 10  # of each traffic and of each shift
DRIFT_SHARE = 0.5  # of the columns: the default of Evidently
RESULTS = ROOT / "benchmarks" / "drift.json"


def find_alert(reference, stream, params):
    """Find the row of the first alert of the drift detector, or infinity."""
    alert = detect(reference, stream, params).alert
    return alert.position if alert else np.inf


def find_evidently_alert(reference, stream, params):
    """Find the last row of the first window that drifted, by the defaults of Evidently."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import DriftedColumnsCount

    numbers = [*reference.classes, "confidence"]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=["label"])

    def to_dataset(probabilities):
        frame = pd.DataFrame(probabilities.astype(float), columns=reference.classes)
        frame["confidence"] = probabilities.max(axis=1)
        frame["label"] = np.array(reference.classes)[probabilities.argmax(axis=1)]
        return Dataset.from_pandas(frame, definition)

    before = to_dataset(reference.probabilities)
    report = Report([DriftedColumnsCount(drift_share=DRIFT_SHARE)])
    for stop in range(params["window"], len(stream.day) + 1, params["window"]):
        window = to_dataset(stream.probabilities[stop - params["window"] : stop])
        (metric,) = report.run(window, before).dict()["metrics"]
        if metric["value"]["share"] >= DRIFT_SHARE:
            return stop - 1
    return np.inf


def find_adwin_alert(reference, stream, _):
    """Find the first row at which ADWIN detects a change of the confidence, by its defaults."""
    from river.drift import ADWIN

    detector = ADWIN()
    for confidence in reference.probabilities.max(axis=1).tolist():
        detector.update(confidence)
    for row, confidence in enumerate(stream.probabilities.max(axis=1).tolist()):
        detector.update(confidence)
        if detector.drift_detected:
            return row
    return np.inf


DETECTORS = {"flowers": find_alert, "evidently": find_evidently_alert, "adwin": find_adwin_alert}


def race(pairs, params, spent):
    """Run every detector on pairs of reference set and stream; rows of the alerts by detector.

    `spent` collects the processor seconds and the predictions read of each detector.
    """
    rows = defaultdict(list)
    for reference, stream in pairs:
        for name, find in DETECTORS.items():
            start = time.process_time()
            row = find(reference, stream, params)
            length = len(stream.day)  # others stop at the first alert
            read = length if name == "flowers" else min(row + 1, length)
            spent[name] += time.process_time() - start, read
            rows[name].append(row)
    return rows


def main():
    require_packages("evidently", "river")
    params = read_yaml("params.yaml")
    drawn = [params["drift_power"][key] for key in ("images", "shifted_shares", "seed")]
    simulator, shifts, md5 = build_simulator(params["drift"], *drawn)
    spent = {name: np.zeros(2) for name in DETECTORS}
    results = {name: {"false_alarms": {}, "shifts": {}} for name in DETECTORS}
    for traffic, kind in tqdm(TRAFFIC.items(), desc="traffic", disable=None):
        pairs = simulator.draw_unshifted(0, (STREAMS, STREAM_LENGTH), kind)
        for name, rows in race(pairs, simulator.params, spent).items():
            results[name]["false_alarms"][traffic] = float(np.mean(np.isfinite(rows)))
    for shift in tqdm(shifts, desc="shifts", disable=None):
        pairs = simulator.draw_shifted(shifts[shift], STREAMS)[1]
        for name, rows in race(pairs, simulator.params, spent).items():
            results[name]["shifts"][shift] = compute_delays(rows)
    for name, (seconds, read) in spent.items():
        results[name]["cpu_s_per_stream"] = seconds / read * STREAM_LENGTH
    drops = {name: simulator.compute_drop(shift) for name, shift in shifts.items()}
    figures = {"md5": md5, "streams": STREAMS, "predictions": STREAM_LENGTH}
    write_json(RESULTS, figures | {"accuracy_drop": drops, "results": results})


if __name__ == "__main__":
    main()
