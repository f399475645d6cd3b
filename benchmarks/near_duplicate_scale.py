"""Time and memory of each search signal: python -m benchmarks.near_duplicate_scale [n ...].

The photos of the last run are made more: parts of them in a size of 64 x 64, of which each
hundredth is an altered copy of the one before. Each signal has a process of its own; 10,000 and
20,000 photos if no number is named, and 100,000 where it takes minutes; what the crops need there
is continued. Writes benchmarks/near_duplicate_scale.json; make readme its table.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measure import read_peak_mb, run_competitor, sort_by_size, time_call
from study.repository import ROOT

SIZES, MOST = (10_000, 20_000), 100_000
SIDE, EVERY = 64, 100
RESULTS = ROOT / "benchmarks" / "near_duplicate_scale.json"
SIGNALS = {"colour": 0.97, "structure": 0.8, "crop": 0.82}


def part_of(photo, number):
    """A part of a photo, of a third to 60 % of its sides, its colours exchanged."""
    rng = np.random.default_rng(number)
    long = rng.uniform(0.35, 0.6) * len(photo)
    left, top = rng.uniform(0, len(photo) - long, 2)
    box = (left, top, left + long, top + long)
    shown = Image.fromarray(np.ascontiguousarray(photo[..., rng.permutation(3)]))
    return shown.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box)


def copy_of(signal, shown):
    """A copy that the signal is there to find, mirrored."""
    shown = shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if signal == "crop":
        return shown.resize(shown.size, Image.Resampling.BICUBIC, (4, 4, 60, 60))
    if signal == "structure":
        return Image.fromarray(np.asarray(shown)[..., [1, 2, 0]])
    return Image.fromarray(np.asarray(shown) // 2 + 60)


def photos(signal, n, folder):
    """So many photos in a mapped file, and the numbers of the copies."""
    from flowers.base.parallel import drop_pages

    known = np.load(ROOT / "data/images.npy")
    images = np.lib.format.open_memmap(
        Path(folder, "images.npy"), "w+", np.uint8, (n, SIDE, SIDE, 3)
    )
    for k in range(n):
        if k % EVERY == EVERY - 1:
            images[k] = copy_of(signal, Image.fromarray(np.array(images[k - 1])))
        else:
            images[k] = part_of(known[k % len(known)], k)
        if k % 1000 == 0:
            images.flush()
            drop_pages(images)
    images.flush()
    return np.load(Path(folder, "images.npy"), mmap_mode="r"), np.arange(EVERY - 1, n, EVERY)


def competitor(signal, n):
    from flowers.base.parallel import use_workers
    from flowers.duplicates.search import SIGNALS as SEARCHES

    with tempfile.TemporaryDirectory(prefix="flowers-") as folder, use_workers(-1, "threading"):
        images, copies = photos(signal, n, folder)
        (pairs, _), wall, cpu = time_call(SEARCHES[signal], images, SIGNALS[signal])
    planted = set(map(tuple, np.column_stack([copies - 1, copies]).tolist()))
    found = planted & set(map(tuple, pairs.tolist()))
    told = {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(read_peak_mb())}
    print(json.dumps(told | {"planted": len(copies), "found": len(found), "pairs": len(pairs)}))


def main(sizes):
    if not (ROOT / "data/images.npy").exists():
        sys.exit("data/images.npy is not there: dvc repro resize makes it")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for n in sizes or (*SIZES, MOST):
        for signal in SIGNALS:
            if n == MOST and signal == "crop" and not sizes:
                continue
            told = run_competitor("benchmarks.near_duplicate_scale", signal, n)
            results.setdefault(signal, {})[str(n)] = told
            print(n, signal, told, flush=True)
            results[signal] = sort_by_size(results[signal])
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def continued(found, n):
    """Processor time and memory of more photos: parts per photo and per pair, and per photo.

    Through the two largest numbers.
    """
    (a, less), (b, more) = [(int(key), told) for key, told in found.items()][-2:]
    pairs = (more["cpu_s"] / b - less["cpu_s"] / a) / (b - a)
    cpu = n * (less["cpu_s"] / a + max(pairs, 0) * (n - a))
    return cpu, less["peak_mb"] + (more["peak_mb"] - less["peak_mb"]) / (b - a) * (n - a)


def table(results):
    """A row for each signal and number of photos."""
    rows = [
        "| signal | photos | time | processor time | memory | planted twins found |",
        "|---|---|---|---|---|---|",
    ]
    for signal, found in results.items():
        for n, told in found.items():
            rows.append(
                f"| {signal} | {int(n):,} | {told['wall_s']:.0f} s | {told['cpu_s']:.0f} s "
                f"| {told['peak_mb']:,} MB | {told['found']:,} of {told['planted']:,} |"
            )
        if str(MOST) not in found and len(found) > 1:
            cpu, memory = continued(found, MOST)
            rows.append(f"| {signal} | {MOST:,}, continued | | {cpu:,.0f} s | {memory:,.0f} MB | |")
    return "\n".join(rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        competitor(sys.argv[2], int(sys.argv[3]))
    else:
        main([int(n) for n in sys.argv[1:]])
