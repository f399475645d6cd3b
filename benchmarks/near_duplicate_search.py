"""Time and memory of near-duplicate search: python -m benchmarks.near_duplicate_search [n ...].

`flowers.duplicates.colour` and faiss (pip install faiss-cpu) search random thumbnails. Each signal
searches photos of 64 x 64 pixels, which are parts of those of the last run. Every hundredth image
is an altered copy of the one before. Each search runs in a process of its own. Writes
benchmarks/near_duplicate_search.json.
"""

import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measure import read_memory_mb, run_competitor, sort_by_size, time_call
from flowers.base.tables import read_json, write_json
from study.repository import ROOT

SIZES = {
    "flowers": (5000, 10_000, 20_000, 100_000),
    "faiss": (5000, 10_000, 20_000),
    "colour": (10_000, 20_000, 100_000),
    "structure": (10_000, 20_000, 100_000),
    "crop": (10_000, 20_000),
}
THRESHOLDS = {"colour": 0.97, "structure": 0.8, "crop": 0.82}
SIZE = 64
PERIOD = 100
RESULTS = ROOT / "benchmarks" / "near_duplicate_search.json"


def make_thumbnails(n, copies):
    """Make random thumbnails with altered copies, every other one mirrored."""
    images = np.random.default_rng(0).integers(0, 256, (n, 16, 16, 3), np.uint8)
    images[copies] = images[copies - 1] // 2 + 60
    images[copies[::2]] = images[copies[::2], :, ::-1]
    return images


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
    """Make `n` photos with copies, as a memory map."""
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
    return np.load(path, mmap_mode="r")


def search_faiss(images, threshold):
    """Find the pairs of `find_colour_pairs` by faiss: rows and mirrored rows among all rows."""
    import faiss

    from flowers.duplicates.colour import compute_thumbnails
    from flowers.duplicates.similarity import normalise_rows

    faiss.omp_set_num_threads(os.cpu_count())
    small = compute_thumbnails(images)
    rows = normalise_rows(small)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    pairs = set()
    for queries in (rows, normalise_rows(small[:, :, ::-1])):
        limits, _, matches = index.range_search(np.ascontiguousarray(queries), threshold)
        first = np.repeat(np.arange(len(rows)), np.diff(limits.astype(np.int64)))
        both = zip(first.tolist(), matches.tolist(), strict=True)
        pairs.update((i, j) for i, j in both if i < j)
    return np.array(sorted(pairs)), None


def run_search(name, n):
    """Search `n` images and print the figures."""
    from flowers.base.parallel import use_workers
    from flowers.duplicates.search import SIGNALS

    signal = name if name in SIGNALS else "colour"
    search = search_faiss if name == "faiss" else SIGNALS[signal]
    copies = np.arange(PERIOD - 1, n, PERIOD)
    with tempfile.TemporaryDirectory(prefix="flowers-") as folder, use_workers(-1, "threading"):
        images = make_photos(name, n, folder) if name in SIGNALS else make_thumbnails(n, copies)
        (pairs, _), wall, cpu = time_call(search, images, THRESHOLDS[signal])
    planted = set(map(tuple, np.column_stack([copies - 1, copies]).tolist()))
    detected = planted & set(map(tuple, pairs.tolist()))
    figures = {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(read_memory_mb())}
    figures |= {"planted": len(copies), "found": len(detected), "pairs": len(pairs)}
    print(json.dumps(figures))


def main(sizes):
    if not (ROOT / "data/images.npy").exists():
        sys.exit("data/images.npy is missing: run dvc repro resize")
    results = read_json(RESULTS) if RESULTS.exists() else {}
    for name in SIZES if find_spec("faiss") else [name for name in SIZES if name != "faiss"]:
        for n in sizes or SIZES[name]:
            figures = run_competitor("benchmarks.near_duplicate_search", name, n)
            results[name] = sort_by_size(results.get(name, {}) | {str(n): figures})
            print(n, name, figures, flush=True)
            write_json(RESULTS, results)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        run_search(sys.argv[2], int(sys.argv[3]))
    else:
        main([int(n) for n in sys.argv[1:]])
