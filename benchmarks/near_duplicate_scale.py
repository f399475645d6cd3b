"""Time and memory of each search signal: python -m benchmarks.near_duplicate_scale [n ...].

The photos of the last run are multiplied: parts of them, 64 x 64 pixels, of which every hundredth
is an altered copy of the one before. Each signal runs in a process of its own; by default on
10,000, 20,000 and 100,000 photos, the crops on 10,000 and 20,000. Writes
benchmarks/near_duplicate_scale.json.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measure import read_memory_mb, run_competitor, sort_by_size, time_call
from flowers.base.tables import read_json, write_json
from study.repository import ROOT

SIZES = (10_000, 20_000)
MAX_PHOTOS = 100_000
SIZE = 64
PERIOD = 100
RESULTS = ROOT / "benchmarks" / "near_duplicate_scale.json"
THRESHOLDS = {"colour": 0.97, "structure": 0.8, "crop": 0.82}


def make_part(photo, number):
    """Cut a part of 35 to 60 % of a photo's sides and permute its colour channels."""
    rng = np.random.default_rng(number)
    side = rng.uniform(0.35, 0.6) * len(photo)
    left, top = rng.uniform(0, len(photo) - side, 2)
    box = (left, top, left + side, top + side)
    image = Image.fromarray(np.ascontiguousarray(photo[..., rng.permutation(3)]))
    return image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box)


def make_copy(signal, image):
    """Make a mirrored copy that this signal is meant to find."""
    image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if signal == "crop":
        return image.resize(image.size, Image.Resampling.BICUBIC, (4, 4, 60, 60))
    if signal == "structure":
        return Image.fromarray(np.asarray(image)[..., [1, 2, 0]])
    return Image.fromarray(np.asarray(image) // 2 + 60)


def make_photos(signal, n, folder):
    """Make `n` photos as a memory map, and the positions of the copies."""
    from flowers.base.parallel import drop_pages

    originals = np.load(ROOT / "data/images.npy")
    path = Path(folder, "images.npy")
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (n, SIZE, SIZE, 3))
    for k in range(n):
        if k % PERIOD == PERIOD - 1:
            images[k] = make_copy(signal, Image.fromarray(np.array(images[k - 1])))
        else:
            images[k] = make_part(originals[k % len(originals)], k)
        if k % 1000 == 0:
            images.flush()
            drop_pages(images)
    images.flush()
    return np.load(path, mmap_mode="r"), np.arange(PERIOD - 1, n, PERIOD)


def run_search(signal, n):
    """Search `n` photos by one signal and print the figures."""
    from flowers.base.parallel import use_workers
    from flowers.duplicates.search import SIGNALS

    with tempfile.TemporaryDirectory(prefix="flowers-") as folder, use_workers(-1, "threading"):
        images, copies = make_photos(signal, n, folder)
        (pairs, _), wall, cpu = time_call(SIGNALS[signal], images, THRESHOLDS[signal])
    planted = set(map(tuple, np.column_stack([copies - 1, copies]).tolist()))
    detected = planted & set(map(tuple, pairs.tolist()))
    figures = {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(read_memory_mb())}
    figures |= {"planted": len(copies), "found": len(detected), "pairs": len(pairs)}
    print(json.dumps(figures))


def main(sizes):
    if not (ROOT / "data/images.npy").exists():
        sys.exit("data/images.npy is missing: run dvc repro resize")
    results = read_json(RESULTS) if RESULTS.exists() else {}
    for n in sizes or (*SIZES, MAX_PHOTOS):
        for signal in THRESHOLDS:
            if n == MAX_PHOTOS and signal == "crop" and not sizes:
                continue
            figures = run_competitor("benchmarks.near_duplicate_scale", signal, n)
            results.setdefault(signal, {})[str(n)] = figures
            print(n, signal, figures, flush=True)
            results[signal] = sort_by_size(results[signal])
            write_json(RESULTS, results)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        run_search(sys.argv[2], int(sys.argv[3]))
    else:
        main([int(n) for n in sys.argv[1:]])
