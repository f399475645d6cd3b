"""Compare the frozen predictions with the reference set: drift, and accuracy from true labels."""

from pathlib import Path

import numpy as np

from flowers.base.tables import read_json, round_floats, write_csv, write_json, write_text
from flowers.drift.report import (
    PERIOD_COLUMNS,
    build_drift_report,
    describe_periods,
    monitor_rows,
    summarise_report,
)
from flowers.model.reference import read_reference
from stages.support.run import run_stage


def main(params):
    reference = read_reference("monitoring/snapshot/reference.csv")
    snapshot = read_json("monitoring/snapshot/snapshot.json")
    rows = np.load("monitoring/snapshot/predictions.npy", mmap_mode="r")
    if snapshot["acknowledged"]:
        rows = rows[rows["time"] > np.datetime64(snapshot["acknowledged"])]
    stream = monitor_rows(reference, rows, params)
    report = build_drift_report(stream, snapshot, params)
    periods = describe_periods(stream.reference, stream.rows, params["window"])
    model = {key: snapshot[key] for key in ("model_version", "md5", "acknowledged", "repeats")}
    write_json("monitoring/drift/drift.json", {"state": report["state"]} | model | report)
    rounded = [round_floats(period) for period in periods]
    write_csv("monitoring/drift/periods.csv", rounded, PERIOD_COLUMNS)
    for plot in Path("monitoring/drift").glob("*.svg"):  # of an earlier run
        plot.unlink()
    if len(rows):
        from flowers.drift import charts  # matplotlib, which takes half a second

        for name, plot in charts.plot_report(stream, periods, params["window"]).items():
            write_text(f"monitoring/drift/{name}.svg", plot)
    return f"{summarise_report(report, len(rows))}; report and charts: monitoring/drift"


if __name__ == "__main__":
    run_stage("drift", main)
