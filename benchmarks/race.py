"""`GramSVC` against scikit-learn and intelex: python -m benchmarks.race SOURCE [n ...].

They fit the pixels of real photos (an RBF SVM) and their features of the recipe fisher-small (a
linear SVM). Mirrored and darkened copies make up missing rows of pixels, copies with noise those of
features. Each fit runs in a process of its own; the competitors alternate, and medians are kept.
Writes benchmarks/race.json, where other sizes stay, and docs/race.svg.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import read_memory_mb, require_packages, run_competitor, time_call
from benchmarks.solvers import RECIPE, prepare_photos, write_rows
from flowers.base.tables import read_csv, read_json, write_json, write_text
from study.photos import decode_photos, read_photos
from study.recipes import read_svm_params
from study.repository import ROOT

SIZES = (1000, 2000, 4000)
TEST_PHOTOS = 512  # classified after the fit of pixels
ROUNDS = 3
MAX_SCIKIT_LEARN = 1000  # rows of pixels, whose six fits take minutes; in one round only
COMPETITORS = {
    "gram-svc": "GramSVC with calibration",
    "intelex": "scikit-learn-intelex, no calibration",
    "scikit-learn": "scikit-learn with calibration",
}
KINDS = {"pixels": "49,152 pixel values", RECIPE: f"Fisher vectors of {RECIPE}"}
RESULTS = ROOT / "benchmarks" / "race.json"
CHART = ROOT / "docs" / "race.svg"


def load_photos(source):
    """Load pixels, shape (n, 128, 128, 3), and labels, of the last run if `source` is None."""
    if source is None:
        return np.load(ROOT / "data/images.npy"), read_csv(ROOT / "data/index.csv")["label"]
    labels, photos = read_photos(source)
    return decode_photos(photos)[0], labels


def make_rows(images, labels, count):
    """Make `count` rows of pixels in random order, with mirrored, darkened and both copies."""
    copies = (
        lambda x: x,
        lambda x: x[:, :, ::-1],
        lambda x: x // 4 * 3,
        lambda x: x[:, :, ::-1] // 4 * 3,
    )
    rounds = -(-count // len(images))
    pixels = np.concatenate([change(images) for change in copies[:rounds]])
    order = np.random.default_rng(0).permutation(len(pixels))[:count]
    return pixels.reshape(len(pixels), -1)[order], np.tile(labels, rounds)[order]


def write_pixels(source, folder, count):
    """Write `count` training rows of pixels, and the test rows, with their labels."""
    X, y = make_rows(*load_photos(source), count + TEST_PHOTOS)
    np.save(folder / "pixels.npy", X)
    np.save(folder / "pixel_labels.npy", y)


def load_rows(kind, folder, n):
    """Load n training rows with labels and near-duplicate groups, and test rows with labels."""
    if kind == "pixels":
        X = np.load(folder / "pixels.npy", mmap_mode="r")
        y = np.load(folder / "pixel_labels.npy")
        return np.array(X[:n]), y[:n], None, np.array(X[-TEST_PHOTOS:]), y[-TEST_PHOTOS:]
    photos = np.load(folder / "photos.npz")
    labels = np.load(folder / "labels.npz")
    rows = np.load(folder / "rows.npy")
    return rows, labels["y"], labels["groups"], photos["X_test"], photos["y_test"]


def make_classifier(name, kind):
    """Make the classifier of a competitor; that of scikit-learn is calibrated as `GramSVC` is."""
    if name == "intelex":
        from sklearnex.svm import SVC

        return SVC() if kind == "pixels" else SVC(C=read_svm_params(RECIPE)["C"], kernel="linear")
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    return CalibratedClassifierCV(SVC(), method="temperature", cv=5, ensemble=False)


def get_fit(name, kind):
    """Return a function that fits rows, labels and groups and returns a predict function."""
    from flowers.learning.standardisation import compute_moments, standardise_block
    from flowers.learning.svm import GramSVC

    if name == "gram-svc":
        params = {} if kind == "pixels" else read_svm_params(RECIPE)
        return lambda X, y, groups: GramSVC(**params).fit(X, y, groups).predict

    def fit(X, y, _):
        if kind == "pixels":
            mean, scale = compute_moments(X)
        else:  # to a mean squared length of 1, as `GramSVC` scales the kernel
            mean = np.zeros(X.shape[1], np.float32)
            length = np.mean([np.square(row, dtype=np.float32).sum() for row in X])
            scale = np.full(X.shape[1], np.sqrt(length), np.float32)
        # In float32, which both accept; StandardScaler would need three times the memory.
        model = make_classifier(name, kind).fit(standardise_block(X, mean, scale, slice(None)), y)
        return lambda new: model.predict(standardise_block(new, mean, scale, slice(None)))

    return fit


def run_fit(name, kind, folder, n):
    """Fit one competitor, predict one batch, and print the figures."""
    from flowers.base.parallel import use_workers

    X, y, groups, X_test, y_test = load_rows(kind, folder, n)
    with use_workers(-1, "threading"):
        predict, fit_s, fit_cpu = time_call(get_fit(name, kind), X, y, groups)
        predictions, predict_s, predict_cpu = time_call(predict, X_test)
    figures = {
        "fit_s": fit_s,
        "fit_cpu_s": fit_cpu,
        "predict_ms": 1000 * predict_s / len(X_test),
        "predict_cpu_ms": 1000 * predict_cpu / len(X_test),
        "peak_mb": read_memory_mb(),
        "accuracy": float(np.mean(predictions == y_test)),
    }
    print(json.dumps(figures))


def run_rounds(kind, folder, n):
    """Run all competitors on n rows, alternating; return the median of each figure."""
    rounds = {}
    for k in range(ROUNDS):
        for name in COMPETITORS:
            if name != "scikit-learn" or (kind == "pixels" and n <= MAX_SCIKIT_LEARN and k == 0):
                figures = run_competitor("benchmarks.race", name, kind, folder, n)
                rounds.setdefault(name, []).append(figures)
    return {name: summarise_rounds(figures) for name, figures in rounds.items()}


def summarise_rounds(rounds):
    """Median of each figure over the rounds, to four digits."""
    medians = {key: float(np.median([figures[key] for figures in rounds])) for key in rounds[0]}
    return {key: float(f"{value:.4g}") for key, value in medians.items()}


def draw_race(results):
    """Draw the CPU time of the fit against the number of rows, a panel for each kind of rows."""
    from matplotlib.figure import Figure

    from flowers.base.plots import to_svg

    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    axes = figure.subplots(1, len(KINDS), sharex=True, sharey=True)
    for ax, (kind, sizes) in zip(axes, results.items(), strict=True):
        for name, title in COMPETITORS.items():
            fits = {int(n): fits[name]["fit_cpu_s"] for n, fits in sizes.items() if name in fits}
            ax.plot(list(fits), list(fits.values()), "o-", label=title)
        ax.set(title=KINDS[kind], xlabel="training photos", ylabel="CPU time of the fit (s)")
        ax.set(xscale="log", yscale="log", xticks=SIZES, xticklabels=[f"{n:,}" for n in SIZES])
        ax.minorticks_off()
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return to_svg(figure)


def main(source, sizes):
    require_packages("sklearnex")
    results = read_json(RESULTS) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="rows-") as name:
        folder = Path(name)
        write_pixels(source, folder, max(sizes))
        prepare_photos(source, folder)
        for n in sizes:
            write_rows(folder, n)
            for kind in KINDS:
                fits = results.setdefault(kind, {}).setdefault(str(n), {})
                fits |= {"load": round(os.getloadavg()[0], 1)} | run_rounds(kind, folder, n)
                write_json(RESULTS, results)
                print(n, kind, fits, flush=True)
    write_text(CHART, draw_race(results))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        run_fit(sys.argv[2], sys.argv[3], Path(sys.argv[4]), int(sys.argv[5]))
    elif len(sys.argv) < 2:
        sys.exit("name the photos: python -m benchmarks.race /path/of/an/archive")
    else:
        main(sys.argv[1], [int(n) for n in sys.argv[2:]] or SIZES)
