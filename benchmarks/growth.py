"""Time and memory of the stages against the number of photos: python -m benchmarks.growth [n ...].

To the photos of the finished run are added parts of them with other colours, and copies with noise
of such parts. They are made as arrays, so that `fetch` and `resize`, which take one photo after the
other, are left out. Above 10,000 photos `codebook` and `flatten` are left out too, and the features
are copies with noise of those of the run. Named sizes join earlier figures. Writes
benchmarks/growth.json and docs/growth.svg.
"""

import sys

import numpy as np
import yaml
from matplotlib.figure import Figure
from PIL import Image
from tqdm import trange

from benchmarks.enlarged import NEW, OFFSET, PERIOD, make_picture
from benchmarks.measure import measure_command, sort_by_size
from benchmarks.solvers import NOISE_SD
from flowers.base.parallel import drop_pages
from flowers.base.plots import to_svg
from flowers.base.tables import read_csv, read_json, to_rows, write_csv, write_json, write_text
from study.repository import ROOT, clone_repository

SIZES = (1000, 2000, 4000, 8000, 50_000)
EXTRACTED = 10_000  # photos whose features are extracted, at most
FEATURE_STAGES = ("codebook", "flatten")
EXCLUDED = ("fetch", "resize", "snapshot", "drift")  # the last two depend on the log
BATCH = 256  # rows made at a time
LEVELS = 6  # of noise in a copy of a photo
RESULTS = ROOT / "benchmarks" / "growth.json"
CHART = ROOT / "docs" / "growth.svg"


def make_image(images, number, source):
    """Make the image of this number: one of the run, a part of one, or a noisy copy of a part."""
    if number < len(images):
        return images[number]
    rng = np.random.default_rng(source)
    part = np.asarray(make_picture(Image.fromarray(images[source % len(images)]), rng))
    noise = np.random.default_rng(number).integers(-LEVELS, LEVELS + 1, part.shape)
    return part if source == number else np.clip(part + noise, 0, 255).astype(np.uint8)


def write_photos(data, base, n):
    """Write the images, their index and, above `EXTRACTED`, their features."""
    numbers = np.arange(n)
    sources = np.where(numbers % PERIOD >= NEW, numbers - OFFSET, numbers)
    sources[: len(base["images"])] = numbers[: len(base["images"])]
    origin = sources % len(base["images"])
    index = {column: values[origin] for column, values in base["index"].items()}
    write_csv(data / "index.csv", to_rows(index | {"row": numbers}))
    shape = (n, *base["images"].shape[1:])
    images = np.lib.format.open_memmap(data / "images.npy", "w+", np.uint8, shape)
    for k in trange(n, desc="images", disable=None):
        images[k] = make_image(base["images"], k, sources[k])
        drop_pages(images)
    if n <= EXTRACTED:
        return
    shape = (n, base["features"].shape[1])
    features = np.lib.format.open_memmap(data / "features.npy", "w+", np.int8, shape)
    rng = np.random.default_rng(0)
    for k in trange(0, n, BATCH, desc="features", disable=None):
        rows = base["features"][origin[k : k + BATCH]].astype(np.float32)
        rows += NOISE_SD * rng.standard_normal(rows.shape, np.float32)
        features[k : k + BATCH] = np.clip(np.rint(rows), -127, 127)
        drop_pages(features)


def measure_sizes(sizes, results):
    """Measure the stages on each number of photos in a clone; yield after each stage."""
    base = {"index": read_csv("data/index.csv")}
    base |= {n: np.load(f"data/{n}.npy", mmap_mode="r") for n in ("images", "features")}
    with clone_repository() as clone:
        for path in ("data/photos", "data/parts.csv", "models/codebook.npz"):
            (clone / path).parent.mkdir(exist_ok=True)
            (clone / path).symlink_to(ROOT / path)
        stages = yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]
        for n in sizes:
            write_photos(clone / "data", base, n)
            for name in ("images", "features"):  # else they count as memory of the stages
                drop_pages(base[name])
            left_out = {*EXCLUDED, *FEATURE_STAGES} if n > EXTRACTED else EXCLUDED
            for name in (stage for stage in stages if stage not in left_out):
                figures = measure_command(stages[name]["cmd"], clone)
                results.setdefault(name, {})[str(n)] = figures
                print(f"{n:>6} {name:<12}", *(f"{k} {v}" for k, v in figures.items()), flush=True)
                yield


def fit_exponent(sizes, key):
    """Slope in logarithms between the two largest sizes; never negative."""
    (n, before), (m, after) = [(int(n), figures[key]) for n, figures in sizes.items()][-2:]
    return max(float(np.log(after / before) / np.log(m / n)), 0.0)


def extrapolate(sizes, key, target):
    """Continue a figure of a stage to `target` photos by its exponent."""
    n = list(sizes)[-1]
    return sizes[n][key] * (target / int(n)) ** fit_exponent(sizes, key)


def sum_stages(results, n):
    """CPU seconds of all stages on `n` photos; those that were not measured are extrapolated."""
    measured = [s[str(n)]["cpu_s"] if str(n) in s else None for s in results.values()]
    extrapolated = [extrapolate(s, "cpu_s", n) for s in results.values()]
    return sum(e if m is None else m for m, e in zip(measured, extrapolated, strict=True))


def fit_total(results, n, m):
    """Exponent of the time of all stages between two numbers of photos."""
    return float(np.log(sum_stages(results, m) / sum_stages(results, n)) / np.log(m / n))


def draw_growth(results):
    """Draw CPU time and memory of each stage against the number of photos."""
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    panels = (("cpu_s", "CPU time (seconds)"), ("peak_mb", "Peak memory (MB)"))
    for ax, (key, title) in zip(figure.subplots(1, 2), panels, strict=True):
        for name, sizes in results.items():
            ax.plot(list(map(int, sizes)), [r[key] for r in sizes.values()], "o-", label=name)
        ax.set(title=title, xlabel="photos", xscale="log", yscale="log")
    ax.legend(frameon=False, fontsize=7)
    return to_svg(figure)


def main(sizes):
    results = read_json(RESULTS) if sizes and RESULTS.exists() else {}
    for _ in measure_sizes(sizes or SIZES, results):
        figures = {name: sort_by_size(by_size) for name, by_size in results.items()}
        write_json(RESULTS, figures)
    write_text(CHART, draw_growth(figures))


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]])
