"""`GramSVC` against scikit-learn and intelex on pixels: python -m benchmarks.race [SOURCE].

Without an archive or a folder the photos of the last run are used. Mirrored and darkened copies
make up missing photos. Each competitor runs in a process of its own; intelex needs the extra
`peers`. Writes benchmarks/race.json and docs/race.svg.
"""

import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.measure import read_memory_mb, run_competitor, time_call
from flowers.base.determinism import DETERMINISTIC_ENVIRONMENT
from flowers.base.tables import read_csv, write_json, write_text
from study.repository import ROOT

SIZES = (1000, 2000, 4000)
TEST_PHOTOS = 512  # classified after the fit
MAX_SCIKIT_LEARN = 1000  # its six fits on 1,000 photos take minutes
COMPETITORS = {
    "gram-svc": "GramSVC with calibration",
    "intelex": "scikit-learn-intelex, no calibration",
    "scikit-learn": "scikit-learn with calibration",
}
RESULTS = ROOT / "benchmarks" / "race.json"
CHART = ROOT / "docs" / "race.svg"


def load_photos(source):
    """Load pixels, shape (n, 128, 128, 3), and labels."""
    if source is None:
        return np.load(ROOT / "data/images.npy"), read_csv(ROOT / "data/index.csv")["label"]
    from study.photos import decode_photos, read_photos

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


def get_fit(name):
    """Return a function that fits pixels and labels and returns a predict function."""
    if name == "gram-svc":
        from flowers.learning.svm import GramSVC

        return lambda X, y: GramSVC().fit(X, y).predict
    if name == "intelex":
        from sklearnex.svm import SVC

        classifier = SVC()
    else:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        # As GramSVC: temperature scaling, five folds, one classifier on all rows.
        classifier = CalibratedClassifierCV(SVC(), method="temperature", cv=5, ensemble=False)
    from flowers.learning.standardisation import compute_moments, standardise_block

    def fit(X, y):
        mean, scale = compute_moments(X)
        # In float32, which both accept; StandardScaler would need three times the memory.
        model = classifier.fit(standardise_block(X, mean, scale, slice(None)), y)
        return lambda new: model.predict(standardise_block(new, mean, scale, slice(None)))

    return fit


def run_fit(name, folder, n):
    """Fit one competitor, predict one batch, and print the figures."""
    from flowers.base.parallel import use_workers

    fit = get_fit(name)
    X = np.load(Path(folder, "X.npy"), mmap_mode="r")
    y = np.load(Path(folder, "y.npy"))
    train = np.array(X[:n])
    test = np.array(X[-TEST_PHOTOS:])
    with use_workers(-1, "threading"):
        predict, fit_s, fit_cpu = time_call(fit, train, y[:n])
        predictions, predict_s, predict_cpu = time_call(predict, test)
    figures = {
        "fit_s": round(fit_s, 2),
        "fit_cpu_s": round(fit_cpu, 2),
        "predict_ms": round(1000 * predict_s / TEST_PHOTOS, 2),
        "predict_cpu_ms": round(1000 * predict_cpu / TEST_PHOTOS, 2),
        "peak_mb": round(read_memory_mb()),
        "accuracy": round(float(np.mean(predictions == y[-TEST_PHOTOS:])), 4),
    }
    print(json.dumps(figures))


def draw_race(results):
    """Draw the time of the fit and of a prediction against the number of photos."""
    from matplotlib.figure import Figure

    from flowers.base.plots import to_svg

    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    panels = (("fit_s", "Fit (seconds)"), ("predict_ms", "Prediction in a batch (ms per photo)"))
    for ax, (key, title) in zip(figure.subplots(1, 2), panels, strict=True):
        for name, sizes in results.items():
            values = [figures[key] for figures in sizes.values()]
            ax.plot(list(map(int, sizes)), values, "o-", label=COMPETITORS[name])
        ax.set(title=title, xlabel="training photos, 49,152 pixel values each")
        ax.set(xscale="log", yscale="log", xticks=SIZES, xticklabels=[f"{n:,}" for n in SIZES])
        ax.minorticks_off()
    ax.legend(frameon=False)
    return to_svg(figure)


def main(source=None):
    names = [n for n in COMPETITORS if n != "intelex" or find_spec("sklearnex")]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        X, y = make_rows(*load_photos(source), max(SIZES) + TEST_PHOTOS)
        np.save(Path(folder, "X.npy"), X)
        np.save(Path(folder, "y.npy"), y)
        for n in SIZES:
            for name in names:
                if name == "scikit-learn" and n > MAX_SCIKIT_LEARN:
                    continue
                env = DETERMINISTIC_ENVIRONMENT | os.environ if name == "gram-svc" else None
                figures = run_competitor("benchmarks.race", name, folder, n, environment=env)
                results.setdefault(name, {})[n] = figures
                print(f"{name:<12} {n:>5}", *(f"{k} {v}" for k, v in figures.items()), flush=True)
    load = round(os.getloadavg()[0], 1)
    machine = {"cores": os.cpu_count(), "load": load, "real_photos": source is not None}
    write_json(RESULTS, machine | {"results": results})
    write_text(CHART, draw_race(results))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        run_fit(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(*sys.argv[1:2])
