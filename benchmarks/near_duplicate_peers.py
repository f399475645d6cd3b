"""Near-duplicate search beside other libraries: python -m benchmarks.near_duplicate_peers SOURCE.

imagehash, imagededup (its hashes) and cleanvision read the same files as our search: photos with
altered copies, one folder for each alteration, and the photos of SOURCE alone. Pairs of the latter
are checked against study/near_duplicates_judged.csv. imagehash has no default distance; it gets the
largest one without a wrong pair among the altered copies. Each method runs in a process of its own.
Writes benchmarks/near_duplicate_peers.json and docs/near_duplicate_peers.svg.
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measure import read_memory_mb, require_packages, run_competitor, time_call
from flowers.base.tables import write_json, write_text
from flowers.duplicates.search import find_near_duplicates, group_pairs, merge_pairs
from flowers.images.decoding import decode_image, load_pixels
from study.alterations import ALTERATIONS
from study.near_duplicate_recall import COPIES, MAX_SIDE, judge_pairs
from study.photos import read_photos, read_thresholds
from study.repository import ROOT

OURS = "flowers"
HASHES = ("average_hash", "dhash", "phash", "whash")  # of imagehash
METHODS = ("AHash", "DHash", "PHash", "WHash")  # of imagededup
NAMES = (
    OURS,
    *(f"imagehash {name}" for name in HASHES),
    *(f"imagededup {name}" for name in METHODS),
    "cleanvision",
)
MAX_DISTANCE = 10  # bits of 64: the default of imagededup
RESULTS = ROOT / "benchmarks" / "near_duplicate_peers.json"
CHART = ROOT / "docs" / "near_duplicate_peers.svg"
DRAWN = {OURS: "o", "imagehash phash": "s", "imagededup PHash": "^", "cleanvision": "x"}


def find_flowers(paths):
    """Find pairs by our search; the distance is 0."""
    images = np.stack([load_pixels(path.read_bytes(), 128)[0] for path in paths])
    pairs = merge_pairs(find_near_duplicates(images, read_thresholds()))
    return [(i, j, 0) for i, j in pairs.tolist()]


def find_by_imagehash(paths, function):
    """Find pairs of photos whose hashes differ by at most ``MAX_DISTANCE`` bits."""
    signs = np.float32([1 - 2 * function(Image.open(path)).hash.ravel() for path in paths])
    distances = (signs.shape[1] - signs @ signs.T) / 2
    first, second = np.nonzero(np.triu(distances <= MAX_DISTANCE, 1))
    return np.column_stack([first, second, distances[first, second]]).astype(int).tolist()


def find_by_imagededup(paths, method):
    """Find pairs by imagededup, with one worker process."""
    options = {"scores": True, "num_enc_workers": 1, "num_dist_workers": 1}
    found = method(verbose=False).find_duplicates(
        image_dir=paths[0].parent, max_distance_threshold=MAX_DISTANCE, **options
    )
    return [
        (int(Path(name).stem), int(Path(other).stem), int(distance))
        for name, matches in found.items()
        for other, distance in matches
        if name < other
    ]


def find_by_cleanvision(paths):
    """Find the pairs of each set of exact and of near-duplicates of cleanvision."""
    from cleanvision import Imagelab

    lab = Imagelab(data_path=str(paths[0].parent), verbose=False)
    kinds = ("exact_duplicates", "near_duplicates")
    lab.find_issues(dict.fromkeys(kinds, {}), n_jobs=1, verbose=False)
    sets = [sorted(int(Path(p).stem) for p in s) for k in kinds for s in lab.info[k]["sets"]]
    return [(i, j, 0) for rows in sets for k, i in enumerate(rows) for j in rows[k + 1 :]]


def get_search(name):
    """Return the function that finds rows (first, second, distance) in a list of files."""
    library, _, method = name.partition(" ")
    if library == OURS:
        return find_flowers
    if library == "cleanvision":
        return find_by_cleanvision
    if library == "imagehash":
        import imagehash

        return lambda paths: find_by_imagehash(paths, getattr(imagehash, method))
    from imagededup import methods

    return lambda paths: find_by_imagededup(paths, getattr(methods, method))


def run_method(name, folder):
    """Run one method on every folder, and print its pairs and figures."""
    search = get_search(name)
    planted = [search(sorted((folder / str(k)).iterdir())) for k in range(len(ALTERATIONS))]
    paths = sorted((folder / "photos").iterdir())
    pairs, _, cpu = time_call(search, paths)
    figures = {"cpu_s_per_1000": 1000 * cpu / len(paths), "peak_mb": read_memory_mb()}
    print(json.dumps(figures | {"planted": planted, "pairs": pairs}))


def write_files(photos, folder):
    """Write the photos, and for each alteration some originals followed by their copies."""
    rows = np.linspace(0, len(photos) - 1, COPIES).astype(int)
    originals = [decode_image(photos[row])[0] for row in rows]
    for photo in originals:
        photo.thumbnail((MAX_SIDE, MAX_SIDE))
    for k, alter in enumerate(ALTERATIONS.values()):
        copies = [alter(p, np.random.default_rng((k, i))) for i, p in enumerate(originals)]
        (folder / str(k)).mkdir()
        for i, photo in enumerate(originals + copies):
            photo.save(folder / str(k) / f"{i:05}.png", compress_level=1)
    (folder / "photos").mkdir()
    for i, content in enumerate(photos):
        (folder / "photos" / f"{i:05}.jpg").write_bytes(content)
    return rows


def measure_copies(planted, groups, distance):
    """Recall of each alteration, and number of wrong pairs, up to a distance.

    Parameters
    ----------
    planted : list of lists of (first, second, distance)
        One for each alteration; the copy of row i is row ``len(groups) + i``.
    groups : ndarray of shape (n,)
        Near-duplicate group of each original.
    distance : int
    """
    count = len(groups)
    recall = {}
    wrong = 0
    for name, rows in zip(ALTERATIONS, planted, strict=True):
        pairs = {(i, j) for i, j, d in rows if d <= distance}
        recall[name] = sum((i, i + count) in pairs for i in range(count)) / count
        wrong += sum(groups[i % count] != groups[j % count] for i, j in pairs)
    return recall, int(wrong)


def choose_distance(name, planted, groups):
    """Choose the largest distance without a wrong pair for imagehash, else the default."""
    if not name.startswith("imagehash"):
        return MAX_DISTANCE
    fits = [d for d in range(MAX_DISTANCE + 1) if not measure_copies(planted, groups, d)[1]]
    return max(fits, default=0)


def summarise_methods(outputs, photos, rows):
    """Summarise the pairs of all methods; those found by any and not wrong are the reference."""
    groups = group_pairs(np.array(outputs[OURS]["pairs"])[:, :2], len(photos))
    results = {}
    found = {}
    for name, output in outputs.items():
        distance = choose_distance(name, output["planted"], groups[rows])
        recall, wrong = measure_copies(output["planted"], groups[rows], distance)
        found[name] = {(i, j) for i, j, d in output["pairs"] if d <= distance}
        results[name] = {"distance": distance, "recall": recall, "wrong_among_copies": wrong}
        results[name] |= {key: round(output[key], 1) for key in ("cpu_s_per_1000", "peak_mb")}
    pairs = sorted(set().union(*found.values()))
    judgements = dict(zip(pairs, judge_pairs(photos, pairs), strict=True))
    for i, j in pairs:
        if judgements[i, j] is None and groups[i] == groups[j]:
            judgements[i, j] = "yes"
    for name, own in found.items():
        counts = Counter(judgements[pair] for pair in own)
        results[name] |= {"correct": counts["yes"], "wrong": counts["no"], "unknown": counts[None]}
    return results, [pair for pair in pairs if judgements[pair] is None]


def draw_recall(results):
    """Draw the recall of one method of each library by alteration."""
    from matplotlib.figure import Figure

    from flowers.base.plots import to_svg

    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    ax = figure.subplots()
    for name, marker in DRAWN.items():
        shares = list(results[name]["recall"].values())
        ax.plot(shares, list(ALTERATIONS), marker, label=name, alpha=0.7, clip_on=False)
    ax.set(xlim=(0, 1), xlabel="share of altered copies found")
    ax.invert_yaxis()
    ax.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return to_svg(figure)


def main(source):
    require_packages("imagehash", "imagededup", "cleanvision")
    _, photos = read_photos(source)
    outputs = {}
    with tempfile.TemporaryDirectory(prefix="flowers-") as folder:
        rows = write_files(photos, Path(folder))
        for name in NAMES:
            outputs[name] = run_competitor("benchmarks.near_duplicate_peers", name, folder)
            results, unknown = summarise_methods(outputs, photos, rows)
            print(name, results[name], flush=True)
    write_json(RESULTS, {"photos": len(photos), "copies": len(rows), "methods": results})
    write_text(CHART, draw_recall(results))
    print(f"not judged by eye, across groups: {len(unknown)} pairs, such as {unknown[:20]}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        run_method(sys.argv[2], Path(sys.argv[3]))
    elif len(sys.argv) != 2:
        sys.exit("name the photos: python -m benchmarks.near_duplicate_peers /path/of/an/archive")
    else:
        main(sys.argv[1])
