"""Time and memory of the stages against the number of photos: python -m benchmarks.growth [n ...].

To the photos of the finished run are added parts of them with other colours, and copies with noise
of such parts. They are made as arrays, so that `fetch` and `resize`, which take one photo after the
other, are left out. Named sizes join earlier figures. Writes benchmarks/growth.json and
docs/growth.svg.
"""

import sys

import numpy as np
import yaml
from matplotlib.figure import Figure
from PIL import Image
from tqdm import trange

from benchmarks.enlarged import NEW, OFFSET, PERIOD, make_picture
from benchmarks.measure import measure_command, sort_by_size
from flowers.base.parallel import drop_pages
from flowers.base.plots import to_svg
from flowers.base.tables import read_csv, read_json, to_rows, write_csv, write_json, write_text
from study.repository import ROOT, clone_repository

SIZES = (1000, 2000, 4000, 50_000)
EXCLUDED = ("fetch", "resize", "snapshot", "drift")  # the last two depend on the log
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
    """Write the images and their index."""
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


def measure_sizes(sizes, results):
    """Measure the stages on each number of photos in a clone; yield after each stage."""
    base = {"index": read_csv("data/index.csv"), "images": np.load("data/images.npy", "r")}
    with clone_repository() as clone:
        for path in ("data/photos", "data/parts.csv"):
            (clone / path).parent.mkdir(exist_ok=True)
            (clone / path).symlink_to(ROOT / path)
        stages = yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]
        for n in sizes:
            write_photos(clone / "data", base, n)
            drop_pages(base["images"])  # else they count as memory of the stages
            for name in (stage for stage in stages if stage not in EXCLUDED):
                figures = measure_command(stages[name]["cmd"], clone)
                results.setdefault(name, {})[str(n)] = figures
                print(f"{n:>6} {name:<12}", *(f"{k} {v}" for k, v in figures.items()), flush=True)
                yield


def fit_exponent(sizes, key):
    """Slope in logarithms between the two largest sizes; never negative."""
    (n, before), (m, after) = [(int(n), figures[key]) for n, figures in sizes.items()][-2:]
    return max(float(np.log(after / before) / np.log(m / n)), 0.0)


def sum_stages(results, n):
    """CPU seconds of all stages on `n` photos."""
    return sum(sizes[str(n)]["cpu_s"] for sizes in results.values())


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
