"""Time and memory of each stage as the photos grow in number: python -m benchmarks.growth [n ...].

The numbers are of drawn photos, 500 to 20,000 if none are named; named ones join those measured
before. Writes benchmarks/growth.json, docs/growth.svg, and what docs/scale.md says of them.
"""

import json
import os
import re
import sys

import numpy as np
import yaml
from scipy.optimize import nnls

from benchmarks.stages import measure_command
from study.repository import ROOT, clone_repository, run_command

SIZES = (500, 1000, 2000, 5000, 10_000, 20_000)
ASKED = (50_000, 200_000)
RESULTS, PICTURE = ROOT / "benchmarks" / "growth.json", ROOT / "docs" / "growth.svg"
# Two depend on the log; the alarm simulates as many photos, however many there are.
LEFT_OUT = ("alarm", "snapshot", "drift")
# Stages that look at pairs of photos, and the megabytes that each pair takes: the kernel matrix of
# training rows, four fifths of the photos, in float32 and float64; the others take some at a time.
PAIRED = {"split": 0, "train_svm": 12e-6 * 0.8**2, "evaluate": 0}
MEMORY, HOURS = 16, 12  # what many machines have, in GB, and a night


def measure(sizes, found):
    """Seconds and megabytes of each stage, by name and number of photos; DVC's own beside them."""
    for n in sizes:
        with clone_repository() as copy:
            params = copy / "params.yaml"
            text = params.read_text()
            params.write_text(re.sub(r"per_class: \d+", f"per_class: {n // 5}", text))
            stages = yaml.safe_load((copy / "dvc.yaml").read_text())["stages"]
            for name, stage in stages.items():
                if name in LEFT_OUT:
                    continue
                wall, cpu, peak = measure_command(stage["cmd"], copy)
                told = {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(peak)}
                # What DVC adds: the outputs are hashed, linked and written down.
                _, committed, _ = measure_command(f"dvc commit --force --quiet {name}", copy)
                told["dvc_s"] = round(committed, 2)
                found.setdefault(name, {})[str(n)] = told
                print(f"{n:>6} {name:<10}", *(f"{k} {v}" for k, v in told.items()), flush=True)
            ran = [name for name in stages if name not in LEFT_OUT]
            run_command("dvc", "checkout", "--quiet", "--relink", *ran, cwd=copy)
            found.setdefault("cache", {})[str(n)] = disk(copy)
        write({name: dict(sorted(of.items(), key=_number)) for name, of in found.items()})


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


def _number(item):
    return int(item[0])


def exponent(found, key):
    """Slope in the logarithms, over the larger half of the numbers of photos, two at least."""
    n = np.array([int(size) for size in found])
    value = np.array([max(told[key], 0.01) for told in found.values()])
    some = slice(-max(2, (len(n) + 1) // 2), None)
    if len(n) < 2:
        return 0.0
    return max(float(np.polyfit(np.log(n[some]), np.log(value[some]), 1)[0]), 0.0)


def ahead(name, found, key, asked):
    """What a start and a part per photo, fitted, say of more photos of a stage.

    Stages that look at pairs have a part of time per pair as well; the memory of one is known.
    """
    n = np.array([int(size) for size in found], dtype=float)
    known = PAIRED.get(name, 0) if key == "peak_mb" else 0
    value = np.array([max(told[key], 0.01) for told in found.values()])
    powers = [0, 1, 2] if key == "cpu_s" and name in PAIRED else [0, 1]
    # Relative errors count: a second at 500 photos as much as an hour at 20,000.
    parts = np.stack([n**power for power in powers], axis=1)
    weights, _ = nnls(parts / value[:, None], np.maximum(1 - known * n**2 / value, 0))
    return float(weights @ [float(asked) ** power for power in powers] + known * asked**2)


def stages_of(found):
    """What was measured, without the disk."""
    return {name: told for name, told in found.items() if name != "cache"}


def table(found):
    """A row per stage: the largest run, the exponents, and what they say of more photos."""
    largest = max(int(n) for n in found["fetch"])
    rows = [
        f"| stage | {largest:,} photos | DVC | exponents: time, memory | 50,000 | 200,000 |",
        "|---|---|---|---|---|---|",
    ]
    for name, told in stages_of(found).items():
        last = list(told.values())[-1]
        minutes, memory = (
            [ahead(name, told, key, n) / unit for n in ASKED]
            for key, unit in (("cpu_s", 60), ("peak_mb", 1000))
        )
        pairs = zip(minutes, memory, strict=True)
        more = [f"{spent:,.0f} min, {needed:,.1f} GB" for spent, needed in pairs]
        rows.append(
            f"| `{name}` | {last['cpu_s']:.0f} s, {last['peak_mb']:,} MB | {last['dvc_s']:.1f} s "
            f"| {exponent(told, 'cpu_s'):.1f}, {exponent(told, 'peak_mb'):.1f} "
            f"| {' | '.join(more)} |"
        )
    picture = "![Time and memory against the number of photos](growth.svg)"
    return "\n".join([*rows, "", picture, "", *(breaks(found, n) for n in ASKED)])


def breaks(found, asked):
    """The sentence that names what no longer goes with so many photos."""
    of = stages_of(found).items()
    needed = {name: ahead(name, told, "peak_mb", asked) / 1000 for name, told in of}
    taken = {name: ahead(name, told, "cpu_s", asked) / 3600 for name, told in of}
    over = sorted((n for n in needed if needed[n] > MEMORY), key=needed.get, reverse=True)
    long = sorted((n for n in taken if taken[n] > HOURS), key=taken.get, reverse=True)
    most = max(needed, key=needed.get)
    if not over + long:
        return (
            f"- {asked:,} photos: nothing passes {MEMORY} GB or {HOURS} hours; `{most}` needs most "
            f"memory, {needed[most]:,.0f} GB."
        )
    memory = ", ".join(f"`{name}` {needed[name]:,.0f} GB" for name in over) or "none"
    time = ", ".join(f"`{name}` {taken[name]:,.0f} h" for name in long) or "none"
    return f"- {asked:,} photos: beyond {MEMORY} GB: {memory}; beyond {HOURS} hours: {time}."


def picture(found):
    """Processor time and memory of each stage against the number of photos."""
    from matplotlib.figure import Figure

    from flowers.base.plots import to_svg

    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    for ax, key, title in zip(
        figure.subplots(1, 2),
        ("cpu_s", "peak_mb"),
        ("Processor time (seconds)", "Peak memory (MB)"),
        strict=True,
    ):
        for name, told in stages_of(found).items():
            ax.plot(list(map(int, told)), [t[key] for t in told.values()], "o-", label=name)
        ax.set(title=title, xlabel="photos", xscale="log", yscale="log")
    ax.legend(frameon=False, fontsize=7)
    return to_svg(figure)


def write(found):
    """Figures and picture of what is known so far."""
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    PICTURE.write_text(picture(found))


if __name__ == "__main__":
    named = [int(n) for n in sys.argv[1:]]
    measure(named or SIZES, json.loads(RESULTS.read_text()) if named and RESULTS.exists() else {})
