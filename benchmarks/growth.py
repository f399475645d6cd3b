"""Time and memory of each stage against the number of photos: python -m benchmarks.growth [n ...].

Without arguments 500 to 20,000 synthetic photos are measured; named sizes join earlier figures.
Writes benchmarks/growth.json and docs/growth.svg.
"""

import os
import re
import sys

import numpy as np
import yaml
from matplotlib.figure import Figure
from scipy.optimize import nnls

from benchmarks.measure import measure_command, sort_by_size
from flowers.base.plots import to_svg
from flowers.base.tables import read_json, write_json, write_text
from study.repository import ROOT, clone_repository, run_command

SIZES = (500, 1000, 2000, 5000, 10_000, 20_000)
TARGETS = (50_000, 200_000)  # sizes to extrapolate to
RESULTS = ROOT / "benchmarks" / "growth.json"
CHART = ROOT / "docs" / "growth.svg"
EXCLUDED = ("snapshot", "drift")  # they depend on the log
# Stages that process pairs of photos, with the megabytes per pair: train_svm holds the kernel
# matrix of the training rows, four fifths of the photos, in float32 and float64.
MB_PER_PAIR = {"split": 0, "train_svm": 12e-6 * 0.8**2, "evaluate": 0}
MEMORY_GB = 16  # of a common machine
NIGHT_HOURS = 12


def measure_size(n, results):
    """Measure every stage, and what DVC adds to it, on `n` synthetic photos."""
    with clone_repository() as clone:
        params = clone / "params.yaml"
        text = params.read_text()
        params.write_text(re.sub(r"per_class: \d+", f"per_class: {n // 5}", text))
        stages = yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]
        measured = [name for name in stages if name not in EXCLUDED]
        for name in measured:
            figures = measure_command(stages[name]["cmd"], clone)
            # DVC hashes and links the outputs and writes dvc.lock.
            commit = measure_command(f"dvc commit --force --quiet {name}", clone)
            figures["dvc_s"] = commit["wall_s"]
            results.setdefault(name, {})[str(n)] = figures
            print(f"{n:>6} {name:<12}", *(f"{k} {v}" for k, v in figures.items()), flush=True)
        run_command("dvc", "checkout", "--quiet", "--relink", *measured, cwd=clone)
        results.setdefault("cache", {})[str(n)] = measure_disk(clone)


def measure_disk(clone):
    """Megabytes of the workspace, of the DVC cache, and of both with links counted once."""
    inodes = set()
    total = {"workspace_mb": 0, "cache_mb": 0, "together_mb": 0}
    for key, top in (("cache_mb", clone / ".dvc/cache"), ("workspace_mb", clone)):
        for folder, _, files in os.walk(top):
            if key == "workspace_mb" and ".dvc" in folder.split(os.sep):
                continue
            for name in files:
                stat = os.stat(os.path.join(folder, name))
                total[key] += stat.st_blocks * 512 / 1e6
                if stat.st_ino not in inodes:
                    inodes.add(stat.st_ino)
                    total["together_mb"] += stat.st_blocks * 512 / 1e6
    return {key: round(value) for key, value in total.items()}


def select_stages(results):
    """Return the figures of the stages, without those of the disk."""
    return {name: sizes for name, sizes in results.items() if name != "cache"}


def read_series(sizes, key):
    """Numbers of photos and a figure of each, as float arrays; the figure is at least 0.01."""
    n = np.array([int(size) for size in sizes], dtype=float)
    return n, np.array([max(figures[key], 0.01) for figures in sizes.values()])


def fit_exponent(sizes, key):
    """Slope in logarithms over the larger half of the sizes, at least two; never negative."""
    n, values = read_series(sizes, key)
    if len(n) < 2:
        return 0.0
    half = slice(-max(2, (len(n) + 1) // 2), None)
    return max(float(np.polyfit(np.log(n[half]), np.log(values[half]), 1)[0]), 0.0)


def extrapolate(stage, sizes, key, target):
    """Continue a figure of a stage to `target` photos.

    A constant and a part per photo are fitted by non-negative least squares, for the time of
    stages that process pairs also a part per pair; their memory per pair is known.
    """
    n, values = read_series(sizes, key)
    per_pair = MB_PER_PAIR.get(stage, 0) if key == "peak_mb" else 0
    powers = [0, 1, 2] if key == "cpu_s" and stage in MB_PER_PAIR else [0, 1]
    # Relative errors: a second at 500 photos weighs as much as an hour at 20,000.
    parts = np.stack([n**power for power in powers], axis=1)
    weights, _ = nnls(parts / values[:, None], np.maximum(1 - per_pair * n**2 / values, 0))
    return float(weights @ [float(target) ** power for power in powers] + per_pair * target**2)


def find_limits(stages, target):
    """Stages that exceed `MEMORY_GB` or `NIGHT_HOURS` at `target` photos, the largest first."""
    figures = {"memory": ("peak_mb", 1000, MEMORY_GB), "time": ("cpu_s", 3600, NIGHT_HOURS)}
    limits = {}
    for resource, (key, unit, limit) in figures.items():
        needs = {name: extrapolate(name, s, key, target) / unit for name, s in stages.items()}
        beyond = [(name, need) for name, need in needs.items() if need > limit]
        limits[resource] = sorted(beyond, key=lambda item: item[1], reverse=True)
    return limits


def draw_growth(results):
    """Draw CPU time and memory of each stage against the number of photos."""
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    panels = (("cpu_s", "CPU time (seconds)"), ("peak_mb", "Peak memory (MB)"))
    for ax, (key, title) in zip(figure.subplots(1, 2), panels, strict=True):
        for k, (name, sizes) in enumerate(select_stages(results).items()):
            style = "o-" if k < 10 else "s--"  # ten colours, then they repeat
            ax.plot(list(map(int, sizes)), [r[key] for r in sizes.values()], style, label=name)
        ax.set(title=title, xlabel="photos", xscale="log", yscale="log")
    ax.legend(frameon=False, fontsize=7)
    return to_svg(figure)


def main(sizes):
    results = read_json(RESULTS) if sizes and RESULTS.exists() else {}
    for n in sizes or SIZES:
        measure_size(n, results)
        write_json(RESULTS, {name: sort_by_size(figures) for name, figures in results.items()})
        write_text(CHART, draw_growth(results))


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]])
