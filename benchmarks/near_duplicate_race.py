"""Near-duplicate search by colour against faiss: python -m benchmarks.near_duplicate_race [n ...].

The thumbnails are random with planted copies, half of them mirrored; each search runs in a process
of its own. faiss is no dependency: pip install faiss-cpu. By default both search 5,000, 10,000 and
20,000 thumbnails, and `flowers.duplicates.colour` alone 100,000. Writes
benchmarks/near_duplicate_race.json.
"""

import json
import os
import sys
from importlib.util import find_spec

import numpy as np

from benchmarks.measure import read_memory_mb, run_competitor, sort_by_size, time_call
from flowers.base.tables import read_json, write_json
from study.repository import ROOT

BOTH = (5000, 10_000, 20_000)
ALONE = 100_000
THRESHOLD = 0.97
SEARCHES = ("flowers", "faiss")
RESULTS = ROOT / "benchmarks" / "near_duplicate_race.json"


def make_thumbnails(n):
    """Make thumbnails whose every hundredth is a copy of the one before, every other mirrored."""
    images = np.random.default_rng(0).integers(0, 256, (n, 16, 16, 3), np.uint8)
    copies = np.arange(99, n, 100)
    images[copies] = images[copies - 1] // 2 + 60
    images[copies[::2]] = images[copies[::2], :, ::-1]
    return images, len(copies)


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
    return sorted(pairs)


def search_colour(images, threshold):
    """Find the pairs by `flowers.duplicates.colour`."""
    from flowers.duplicates.colour import find_colour_pairs

    return find_colour_pairs(images, threshold)[0]


def run_search(name, n):
    """Search `n` thumbnails and print the figures."""
    from flowers.base.parallel import use_workers

    images, copies = make_thumbnails(n)
    search = {"flowers": search_colour, "faiss": search_faiss}[name]
    with use_workers(-1, "threading"):
        pairs, wall, cpu = time_call(search, images, THRESHOLD)
    figures = {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(read_memory_mb())}
    print(json.dumps(figures | {"planted": copies, "pairs": len(pairs)}))


def main(sizes):
    results = read_json(RESULTS) if RESULTS.exists() else {}
    for n in sizes:
        for name in SEARCHES:
            if name == "faiss" and (n > max(BOTH) or not find_spec("faiss")):
                continue
            figures = run_competitor("benchmarks.near_duplicate_race", name, n)
            results.setdefault(str(n), {})[name] = figures
            print(n, name, figures, flush=True)
            write_json(RESULTS, sort_by_size(results))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        run_search(sys.argv[2], int(sys.argv[3]))
    else:
        main([int(n) for n in sys.argv[1:]] or [*BOTH, ALONE])
