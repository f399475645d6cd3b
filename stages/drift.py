"""Compare the frozen predictions with the reference set: drift, and accuracy from true labels."""

import numpy as np

from flowers.base.tables import read_json, write_csv, write_json, write_text
from flowers.drift.charts import plot_report
from flowers.drift.report import build_drift_report, monitor_rows
from flowers.drift.windows import COLUMNS
from flowers.model.reference import read_reference
from stages.support.run import run_stage


def main(params):
    reference = read_reference("monitoring/snapshot/reference.csv")
    snapshot = read_json("monitoring/snapshot/snapshot.json")
    rows = np.load("monitoring/snapshot/predictions.npy", mmap_mode="r")
    if snapshot["acknowledged"]:
        rows = rows[rows["time"] > np.datetime64(snapshot["acknowledged"])]
    stream = monitor_rows(reference, rows, params)
    report = build_drift_report(stream, snapshot, reference.classes, params)
    model = {key: snapshot[key] for key in ("model_version", "md5", "acknowledged", "repeats")}
    write_json("monitoring/drift/drift.json", {"state": report["state"]} | model | report)
    windows = stream.windows.to_rows(rows["time"], params)
    write_csv("monitoring/drift/windows.csv", windows, COLUMNS)
    for name, plot in plot_report(stream, reference.classes, params).items():
        write_text(f"monitoring/drift/{name}.svg", plot)
    alert = report["alert"]
    detected = ""
    if alert:
        detected = f"; {alert['kind']}, {alert['detected_at']}, by {alert['detected_by']}"
    status = report["performance"]["status"]
    return f"{report['state']}{detected}; accuracy: {status}; {len(rows)} predictions"


if __name__ == "__main__":
    run_stage("drift", main)
