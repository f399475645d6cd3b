"""Time and memory of each stage as the photos grow in number: python -m benchmarks.growth [n ...].

The numbers are of drawn photos, 500 to 20,000 if none are named. Writes benchmarks/growth.json with
the exponents fitted to it, docs/growth.svg, and the table of docs/scale.md.
"""

import json
import os
import re
import sys

import numpy as np
import yaml

from benchmarks.clean_copy import ROOT, clean_copy, run
from benchmarks.scale import write_between
from benchmarks.stages import measured

SIZES = (500, 1000, 2000, 5000, 10_000, 20_000)
ASKED = (50_000, 200_000)
RESULTS, PICTURE = ROOT / "benchmarks" / "growth.json", ROOT / "docs" / "growth.svg"
# They depend on the log, not on the photos.
LEFT_OUT = ("snapshot", "drift")


def measure(sizes):
    """Seconds and megabytes of each stage, by name and number of photos; DVC's own beside them."""
    found = {}
    for n in sizes:
        with clean_copy() as copy:
            params = copy / "params.yaml"
            text = params.read_text()
            params.write_text(re.sub(r"per_class: \d+", f"per_class: {n // 5}", text))
            for name, stage in yaml.safe_load((copy / "dvc.yaml").read_text())["stages"].items():
                if name in LEFT_OUT:
                    continue
                wall, cpu, peak = measured(stage["cmd"], copy)
                told = {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(peak)}
                # What DVC adds: the outputs are hashed, linked and written down.
                committed, _, _ = measured(f"dvc commit --force --quiet {name}", copy)
                told["dvc_s"] = round(committed, 2)
                found.setdefault(name, {})[n] = told
                print(f"{n:>6} {name:<10}", *(f"{k} {v}" for k, v in told.items()), flush=True)
            run("dvc", "checkout", "--quiet", "--relink", cwd=copy)
            found.setdefault("cache", {})[n] = disk(copy)
    return found


def disk(copy):
    """Megabytes on the disk in the workspace and in the cache, and in both when counted once."""
    seen, total = set(), {"workspace_mb": 0, "cache_mb": 0, "together_mb": 0}
    for key, top in (("cache_mb", copy / ".dvc/cache"), ("workspace_mb", copy)):
        for folder, _, files in os.walk(top):
            if key == "workspace_mb" and ".dvc" in folder.split(os.sep):
                continue
            for name in files:
                found = os.stat(os.path.join(folder, name))
                total[key] += found.st_blocks * 512 / 1e6
                if found.st_ino not in seen:
                    seen.add(found.st_ino)
                    total["together_mb"] += found.st_blocks * 512 / 1e6
    return {key: round(value) for key, value in total.items()}


def fitted(found, key):
    """Exponent of the last half of the sizes, and what it says of the numbers `ASKED`."""
    n = np.array([int(size) for size in found])
    value = np.array([max(told[key], 0.01) for told in found.values()])
    some = n >= np.median(n)
    slope, level = np.polyfit(np.log(n[some]), np.log(value[some]), 1)
    slope = max(float(slope), 0.0)
    at = {size: float(value[-1] * (size / n[-1]) ** slope) for size in ASKED}
    return round(slope, 2), {size: round(v) for size, v in at.items()}


def table(found):
    """A row per stage: the largest run, the exponents, and what they say of more photos."""
    largest = max(int(n) for n in found["fetch"])
    rows = [
        f"| stage | {largest:,} photos | DVC | exponents: time, memory | 50,000 | 200,000 |",
        "|---|---|---|---|---|---|",
    ]
    for name, told in found.items():
        if name == "cache":
            continue
        last = list(told.values())[-1]
        (time, seconds), (memory, mb) = fitted(told, "cpu_s"), fitted(told, "peak_mb")
        ahead = [f"{seconds[n]:,} s, {mb[n] / 1000:.1f} GB" for n in ASKED]
        rows.append(
            f"| `{name}` | {last['wall_s']:.0f} s, {last['peak_mb']:,} MB | {last['dvc_s']:.1f} s "
            f"| {time:.1f}, {memory:.1f} | {' | '.join(ahead)} |"
        )
    return "\n".join([*rows, "", "![Time and memory against the number of photos](growth.svg)"])


def picture(found):
    """Processor time and memory of each stage against the number of photos."""
    from matplotlib.figure import Figure

    from flowers.plots import svg

    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    for ax, key, title in zip(
        figure.subplots(1, 2),
        ("cpu_s", "peak_mb"),
        ("Processor time (seconds)", "Peak memory (MB)"),
        strict=True,
    ):
        for name, told in found.items():
            if name != "cache":
                ax.plot(list(map(int, told)), [t[key] for t in told.values()], "o-", label=name)
        ax.set(title=title, xlabel="photos", xscale="log", yscale="log")
    ax.legend(frameon=False, fontsize=7)
    return svg(figure)


if __name__ == "__main__":
    growth = measure([int(n) for n in sys.argv[1:]] or SIZES)
    RESULTS.write_text(json.dumps(growth, indent=2) + "\n")
    growth = json.loads(RESULTS.read_text())
    PICTURE.write_text(picture(growth))
    write_between("growth", table(growth))
