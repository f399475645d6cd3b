"""Near-duplicate search by colour against faiss: python -m benchmarks.near_duplicate_race [n ...].

Random thumbnails with planted copies, some of them mirrored, each race in a process of its own.
faiss is no dependency: pip install faiss-cpu. Without numbers: 5,000, 10,000 and 20,000 thumbnails
in the race, and 100,000 by ours alone. Writes benchmarks/near_duplicate_race.json; make readme its
table.
"""

import json
import os
import sys
from importlib.util import find_spec

import numpy as np

from benchmarks.measure import read_peak_mb, run_competitor, sort_by_size, time_call
from study.repository import ROOT

RACED, ALONE, THRESHOLD = (5000, 10_000, 20_000), 100_000, 0.97
RESULTS = ROOT / "benchmarks" / "near_duplicate_race.json"
NAMES = {"ours": "`flowers.duplicates.colour`", "faiss": "faiss, flat, range search"}


def planted(n):
    """Thumbnails of which each hundredth is a copy of the one before, every other one mirrored."""
    images = np.random.default_rng(0).integers(0, 256, (n, 16, 16, 3), np.uint8)
    copies = np.arange(99, n, 100)
    images[copies] = images[copies - 1] // 2 + 60
    images[copies[::2]] = images[copies[::2], :, ::-1]
    return images, len(copies)


def by_faiss(images, threshold):
    """Pairs as in `find_colour_pairs`, by faiss."""
    import faiss

    from flowers.duplicates.colour import compute_thumbnails, normalise_rows

    small = compute_thumbnails(images)
    rows = normalise_rows(small)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    found = set()
    for asked in (rows, normalise_rows(small[:, :, ::-1])):
        limits, _, near = index.range_search(np.ascontiguousarray(asked), threshold)
        first = np.repeat(np.arange(len(rows)), np.diff(limits.astype(np.int64)))
        found.update((i, j) for i, j in zip(first.tolist(), near.tolist(), strict=True) if i < j)
    return sorted(found)


def competitor(name, n):
    from flowers.base.parallel import use_workers
    from flowers.duplicates.colour import find_colour_pairs

    images, copies = planted(n)
    if name == "faiss":
        import faiss

        faiss.omp_set_num_threads(os.cpu_count())
    search = by_faiss if name == "faiss" else lambda *given: find_colour_pairs(*given)[0]
    with use_workers(-1, "threading"):
        pairs, wall, cpu = time_call(search, images, THRESHOLD)
    told = {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(read_peak_mb())}
    print(json.dumps(told | {"planted": copies, "pairs": len(pairs)}))


def main(sizes):
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for n in sizes:
        for name in NAMES:
            if name == "faiss" and (n > max(RACED) or not find_spec("faiss")):
                continue
            told = run_competitor("benchmarks.near_duplicate_race", name, n)
            results.setdefault(str(n), {})[name] = told
            print(n, name, told, flush=True)
            RESULTS.write_text(json.dumps(sort_by_size(results), indent=2) + "\n")


def table(results):
    rows = [
        "| | thumbnails | time | processor time | memory | planted twins | pairs found |",
        "|---|---|---|---|---|---|---|",
    ]
    for n, found in results.items():
        for name, told in found.items():
            rows.append(
                f"| {NAMES[name]} | {int(n):,} | {told['wall_s']:.1f} s | {told['cpu_s']:.1f} s "
                f"| {told['peak_mb']:,} MB | {told['planted']:,} | {told['pairs']:,} |"
            )
    return "\n".join(rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        competitor(sys.argv[2], int(sys.argv[3]))
    else:
        main([int(n) for n in sys.argv[1:]] or [*RACED, ALONE])
