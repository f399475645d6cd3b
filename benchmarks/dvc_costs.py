"""Time and disk that DVC itself adds, by number of photos: python -m benchmarks.dvc_costs [n ...].

The files have the sizes of a run: 13 kB a photo, 49 kB a row of each array. Their bytes are random,
because DVC only hashes and links them. Writes benchmarks/dvc_costs.json.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import measure_command
from flowers.base.tables import write_json
from study.repository import ROOT, run_command

SIZES = (5000, 20_000)
RESULTS = ROOT / "benchmarks" / "dvc_costs.json"
PHOTO = 13_000  # bytes
ROW = 128 * 128 * 3  # bytes
STAGES = {
    "fetch": "data/photos",
    "resize": "data/images.npy",
    "flatten": "data/features.npy",
    "archive": "data/archive.tar",
}
LINKS = {"linked": "reflink,hardlink,copy", "copied": "copy"}


def write_outputs(folder, n, rng):
    """Write the large outputs of fetch, resize and flatten, and the photos as one archive."""
    for k in range(n):
        path = folder / "photos" / f"class{k % 5}" / f"{k:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.bytes(PHOTO))
    for name, size in (("images.npy", ROW), ("features.npy", ROW), ("archive.tar", PHOTO)):
        with (folder / name).open("wb") as file:
            for _ in range(n // 500):
                file.write(rng.bytes(500 * size))


def create_repository(folder, links):
    """Create a DVC repository with these stages and no others."""
    for command in ("git init -q", "dvc init -q", f"dvc config cache.type {links}"):
        run_command(*command.split(), cwd=folder)
    stages = {name: {"cmd": "true", "outs": [path]} for name, path in STAGES.items()}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))


def measure_costs(n, links):
    """Wall and CPU seconds of each operation of DVC, and megabytes on the disk."""
    seconds = {}
    with tempfile.TemporaryDirectory(prefix="dvc-costs-", dir=ROOT.parent) as name:
        folder = Path(name)
        create_repository(folder, links)
        write_outputs(folder / "data", n, np.random.default_rng(0))
        for stage in STAGES:
            seconds[stage] = measure_command(f"dvc commit --quiet --force {stage}", folder)
        seconds["status"] = measure_command("dvc status --quiet", folder)
        shutil.rmtree(folder / "data")
        seconds["checkout"] = measure_command("dvc checkout --quiet", folder)
        disk = subprocess.check_output(["du", "-sm", name], text=True)
    figures = {
        operation: {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}
        for operation, (wall, cpu, _) in seconds.items()
    }
    return figures | {"disk_mb": int(disk.split()[0])}


if __name__ == "__main__":
    results = {}
    for n in [int(n) for n in sys.argv[1:]] or SIZES:
        results[n] = {name: measure_costs(n, links) for name, links in LINKS.items()}
        print(n, json.dumps(results[n]), flush=True)
    write_json(RESULTS, results)
