"""What DVC itself costs, by number of photos: python -m benchmarks.dvc_costs [n ...].

The files are as large as those of a run, 13 kB a photo, 49 kB a row of each array; their bytes are
random, because DVC only hashes and links them. Writes benchmarks/dvc_costs.json; make readme the
table of docs/scale.md.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import measure_command
from study.repository import ROOT, run_command

SIZES = (5000, 20_000)
ASKED = 100_000
RESULTS = ROOT / "benchmarks" / "dvc_costs.json"
PHOTO, ROW = 13_000, 128 * 128 * 3  # bytes
STAGES = {"fetch": "data/photos", "resize": "data/images.npy", "flatten": "data/features.npy"}
LINKS = {"linked": "reflink,hardlink,copy", "copied": "copy"}
TITLES = {
    "fetch": "commit `data/photos`",
    "resize": "commit `data/images.npy`",
    "flatten": "commit `data/features.npy`",
    "status": "`dvc status`, nothing changed",
    "checkout": "`dvc checkout` into an empty folder",
    "archive": "the photos as one archive",
}


def fill(folder, n, rng):
    """The large outputs of fetch, resize and flatten."""
    for k in range(n):
        path = folder / "photos" / f"class{k % 5}" / f"{k:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.bytes(PHOTO))
    for name in ("images", "features"):
        with (folder / f"{name}.npy").open("wb") as file:
            for _ in range(n // 500):
                file.write(rng.bytes(500 * ROW))
    with (folder / "archive.tar").open("wb") as file:
        for _ in range(n // 500):
            file.write(rng.bytes(500 * PHOTO))


def repository(folder, links):
    """A repository of DVC whose stages have these outputs and no other."""
    for command in ("git init -q", "dvc init -q", f"dvc config cache.type {links}"):
        run_command(*command.split(), cwd=folder)
    stages = {name: {"cmd": "true", "outs": [path]} for name, path in STAGES.items()}
    stages["archive"] = {"cmd": "true", "outs": ["data/archive.tar"]}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))


def costs(n, links):
    """Wall and processor seconds of each thing that DVC does, and megabytes on the disk."""
    told = {}
    with tempfile.TemporaryDirectory(prefix="dvc-costs-", dir=ROOT.parent) as name:
        folder = Path(name)
        repository(folder, links)
        fill(folder / "data", n, np.random.default_rng(0))
        for stage in (*STAGES, "archive"):
            told[stage] = measure_command(f"dvc commit --quiet --force {stage}", folder)
        told["status"] = measure_command("dvc status --quiet", folder)
        shutil.rmtree(folder / "data")
        told["checkout"] = measure_command("dvc checkout --quiet", folder)
        used = subprocess.check_output(["du", "-sm", name], text=True)
    figures = {k: {"wall_s": round(v[0], 2), "cpu_s": round(v[1], 2)} for k, v in told.items()}
    return figures | {"disk_mb": int(used.split()[0])}


def table(found):
    """A row per thing that DVC does, and what the largest run says of more photos."""
    sizes = list(found)
    heads = [f"{int(n):,} photos" for n in sizes]
    rows = [
        f"| processor time | {' | '.join(heads)} | {ASKED:,}, by the slope |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for key, title in TITLES.items():
        spent = [found[n]["linked"][key]["cpu_s"] for n in sizes]
        slope = (spent[-1] - spent[0]) / (int(sizes[-1]) - int(sizes[0]))
        ahead = spent[-1] + max(slope, 0) * (ASKED - int(sizes[-1]))
        rows.append(f"| {title} | {' | '.join(f'{s:.1f} s' for s in spent)} | {ahead:.0f} s |")
    for how, title in (("linked", "on the disk, linked"), ("copied", "on the disk, copied")):
        used = [found[n][how]["disk_mb"] / 1000 for n in sizes]
        ahead = used[-1] * ASKED / int(sizes[-1])
        rows.append(f"| {title} | {' | '.join(f'{u:.1f} GB' for u in used)} | {ahead:.0f} GB |")
    return "\n".join(rows)


if __name__ == "__main__":
    results = {}
    for n in [int(n) for n in sys.argv[1:]] or SIZES:
        results[n] = {how: costs(n, links) for how, links in LINKS.items()}
        print(n, json.dumps(results[n]), flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
