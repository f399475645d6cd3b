"""Compare the frozen predictions with the held-out photos, window by window."""

import numpy as np

from flowers.drift.charts import pictures
from flowers.drift.windows import COLUMNS, Windows, drift_report
from flowers.log.reference import read_reference
from flowers.tables import read_json, write_csv, write_json, write_text
from stages._run import run


def main(knobs):
    held_out, snapshot = read_reference("data/reference.csv"), read_json("metrics/snapshot.json")
    rows = np.load("data/snapshot.npy", mmap_mode="r")
    windows = Windows.of(held_out, rows, knobs)
    report = drift_report(held_out, rows, windows, knobs)
    model = {key: snapshot[key] for key in ("model_version", "md5")}
    write_json("metrics/drift.json", {"state": report["state"]} | model | report)
    write_csv("metrics/drift_windows.csv", windows.rows(rows["time"]), COLUMNS)
    for name, picture in pictures(held_out, rows, windows, knobs["alpha"]).items():
        write_text(f"plots/drift_{name}.svg", picture)
    differ = f"{windows.differing.sum()} of {len(windows.spans)} windows differ"
    return f"{report['state']}: {len(rows)} predictions, {differ}"


if __name__ == "__main__":
    run("drift", main)
