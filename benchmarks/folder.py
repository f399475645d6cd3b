"""The local script on a folder of photos: python -m benchmarks.folder ARCHIVE.

The photos of an archive or a folder are made 3,500, a model of their raw pixels is trained, and
`python -m scoring.predict` answers all of them. Writes benchmarks/folder.json; make readme a
sentence of it.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.enlarged import create_archive
from benchmarks.measure import measure_command
from benchmarks.stages import set_fetch_params
from study.repository import ENVIRONMENT, ROOT, clone_repository, run_command

COUNT, ALONE = 3500, 12
TRAINED = "fetch resize split codebook flatten train_svm train_nb evaluate promote".split()
RESULTS = ROOT / "benchmarks" / "folder.json"


def answers(text):
    """File and probabilities of each line of a table."""
    rows = list(csv.reader(text.splitlines()))[1:]
    return [row[0] for row in rows], np.array([row[3:] for row in rows], dtype=float)


def alone(copy, file):
    """The probabilities of one photo that is asked for by itself."""
    command = [sys.executable, "-m", "scoring.predict", file, "--csv"]
    return answers(subprocess.check_output(command, cwd=copy, env=ENVIRONMENT, text=True))[1][0]


def measure(copy):
    command = "python -m scoring.predict data/photos --csv > told.csv"
    wall, cpu, peak = measure_command(command, copy)
    files, told = answers((copy / "told.csv").read_text())
    named = [Path(file) for file in files]
    some = np.linspace(0, len(files) - 1, ALONE).astype(int)
    differences = [abs(told[k] - alone(copy, files[k])).max() for k in some]
    trained = json.loads((copy / "metrics/train_svm.json").read_text())
    return {
        "photos": len(files),
        "support_vectors": trained["support_vectors"],
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "peak_mb": round(peak),
        "in_order": named == sorted(named),
        "asked_alone": ALONE,
        "largest_difference": float(max(differences)),
    }


def table(found):
    """A sentence of what was measured."""
    order = "in the order of the files" if found["in_order"] else "not in the order of the files"
    return (
        f"A folder of {found['photos']:,} photos takes {found['wall_s']:.0f} s on two cores, "
        f"{found['cpu_s']:.0f} s of processor time and\n{found['peak_mb']} MB, with a model of raw "
        f"pixels that has {found['support_vectors']:,} support vectors; it answers {order}.\n"
        f"{found['asked_alone']} of the photos were asked for alone as well: their probabilities "
        f"differ by {found['largest_difference']:.0e} at most."
    )


def main(source):
    with create_archive(source, COUNT) as archive, clone_repository() as copy:
        file = copy / "params.yaml"
        params = {"source": "archive", "path": archive}
        file.write_text(set_fetch_params(file.read_text(), params))
        for stage in TRAINED:
            run_command("python", "-m", f"stages.{stage}", cwd=copy)
        found = measure(copy)
    print(found)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
