"""Classify a folder of photos by the local script: python -m benchmarks.folder SOURCE.

3,500 photos are derived from an archive or a folder, a model of raw pixels is trained on them, and
`python -m scoring.predict` classifies all of them. Writes benchmarks/folder.json.
"""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.enlarged import create_archive
from benchmarks.measure import measure_command
from benchmarks.stages import set_fetch_params
from flowers.base.tables import read_json, write_json
from study.repository import ENVIRONMENT, ROOT, clone_repository, run_command

COUNT = 3500
ALONE = 12
STAGES = "fetch resize split codebook flatten train_svm train_nb evaluate promote".split()
RESULTS = ROOT / "benchmarks" / "folder.json"


def parse_predictions(text, classes):
    """File and probabilities of each row of a CSV table."""
    rows = list(csv.DictReader(text.splitlines()))
    probabilities = [[float(row[name]) for name in classes] for row in rows]
    return [row["file"] for row in rows], np.array(probabilities)


def predict_alone(clone, file, classes):
    """Probabilities of one photo in a call of its own."""
    command = [sys.executable, "-m", "scoring.predict", file, "--csv"]
    text = subprocess.check_output(command, cwd=clone, env=ENVIRONMENT, text=True)
    return parse_predictions(text, classes)[1][0]


def measure_folder(clone):
    """Classify all photos of a clone together, and some of them alone."""
    classes = read_json(clone / "models/candidate/card.json")["classes"]
    command = "python -m scoring.predict data/photos --csv > predictions.csv"
    wall, cpu, peak = measure_command(command, clone)
    files, together = parse_predictions((clone / "predictions.csv").read_text(), classes)
    paths = [Path(file) for file in files]
    sample = np.linspace(0, len(files) - 1, ALONE).astype(int)
    alone = np.stack([predict_alone(clone, files[k], classes) for k in sample])
    return {
        "photos": len(files),
        "support_vectors": read_json(clone / "metrics/train_svm.json")["support_vectors"],
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "peak_mb": round(peak),
        "in_order": paths == sorted(paths),
        "predicted_alone": ALONE,
        "largest_difference": float(np.abs(together[sample] - alone).max()),
    }


def main(source):
    with create_archive(source, COUNT) as archive, clone_repository() as clone:
        file = clone / "params.yaml"
        params = {"source": "archive", "path": archive}
        file.write_text(set_fetch_params(file.read_text(), params))
        for stage in STAGES:
            run_command("python", "-m", f"stages.{stage}", cwd=clone)
        figures = measure_folder(clone)
    print(figures)
    write_json(RESULTS, figures)


if __name__ == "__main__":
    main(sys.argv[1])
