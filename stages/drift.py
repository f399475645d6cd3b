"""Watch the frozen predictions: do they differ from the held-out photos, and does it harm."""

import numpy as np

from flowers.base.tables import read_json, write_csv, write_json, write_text
from flowers.drift.charts import pictures
from flowers.drift.summary import Stream, drift_report
from flowers.drift.windows import COLUMNS
from flowers.model.reference import read_reference
from stages.support.run import run_stage


def main(params):
    held_out, snapshot = read_reference("data/reference.csv"), read_json("metrics/snapshot.json")
    rows = np.load("data/snapshot.npy", mmap_mode="r")
    if snapshot["acknowledged"]:
        rows = rows[rows["time"] > np.datetime64(snapshot["acknowledged"])]
    stream = Stream.of(held_out, rows, params)
    report = drift_report(stream, snapshot, held_out.classes, params)
    about = {key: snapshot[key] for key in ("model_version", "md5", "acknowledged", "repeats")}
    write_json("metrics/drift.json", {"state": report["state"]} | about | report)
    write_csv("metrics/drift_windows.csv", stream.windows.rows(rows["time"], params), COLUMNS)
    for name, picture in pictures(stream, held_out.classes, params).items():
        write_text(f"plots/drift_{name}.svg", picture)
    alarm = report["alarm"]
    rang = f"; {alarm['kind']}, {alarm['detected_at']}, by {alarm['by']}" if alarm else ""
    return f"{report['verdict']['word']}; {report['state']}{rang}; {len(rows)} photos"


if __name__ == "__main__":
    run_stage("drift", main)
