"""Plain scikit-learn, scikit-learn-intelex and ours on the same pixels: python -m benchmarks.race.

An archive or folder of photos may be named; without one the photos of the last run are taken. Where
there are too few, mirrored and darkened copies make up the number. Each competitor has a process of
its own; intelex comes with the extra `peers`.
"""

import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.measure import read_peak_mb, run_competitor, time_call
from flowers.base.determinism import DETERMINISTIC_ENVIRONMENT
from study.repository import ROOT

SIZES = (1000, 2000, 4000)
NEW = 512  # photos that are answered after the fit
PLAIN_AT_MOST = 1000  # its six fits on 1,000 photos take minutes
COMPETITORS = {
    "ours": "GramSVC with calibration",
    "intelex": "scikit-learn-intelex, no calibration",
    "plain": "scikit-learn with calibration",
}
RESULTS, PICTURE = ROOT / "benchmarks" / "race.json", ROOT / "docs" / "race.svg"


def photos(source):
    """Pixels and labels of all photos that can be read, shape (n, 128, 128, 3)."""
    if source is None:
        from flowers.base.tables import read_csv

        return np.load(ROOT / "data/images.npy"), read_csv(ROOT / "data/index.csv")["label"]
    from flowers.base.errors import RejectedImage
    from flowers.images.decoding import load_pixels
    from flowers.sources.files import iterate_archive, iterate_folder

    images, labels = [], []
    with tempfile.TemporaryDirectory() as cache:
        named = iterate_folder(source) if Path(source).is_dir() else None
        for label, _, content in named or iterate_archive(source, Path(cache)):
            try:
                images.append(load_pixels(content or b"")[0])
            except RejectedImage:
                continue
            labels.append(label)
    return np.stack(images), np.array(labels)


def made_up(images, labels, count):
    """So many rows of pixels in a mixed order, with copies mirrored and then darkened."""
    copies = (lambda x: x, lambda x: x[:, :, ::-1], lambda x: x // 4 * 3)
    copies += (lambda x: x[:, :, ::-1] // 4 * 3,)
    rounds = -(-count // len(images))
    every = np.concatenate([change(images) for change in copies[:rounds]])
    order = np.random.default_rng(0).permutation(len(every))[:count]
    return every.reshape(len(every), -1)[order], np.tile(labels, rounds)[order]


def rivals(name):
    """A function that fits on pixels and labels, and gives what answers pixels."""
    if name == "ours":
        from flowers.learning.svm import GramSVC

        return lambda X, y: GramSVC().fit(X, y).predict
    if name == "intelex":
        from sklearnex.svm import SVC

        machine = SVC()
    else:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        # As ours: temperature, five folds, one machine kept.
        machine = CalibratedClassifierCV(SVC(), method="temperature", cv=5, ensemble=False)
    from flowers.learning.standard import moments, standardised

    def fit(X, y):
        mean, scale = moments(X)
        # In a single precision, which both take; StandardScaler would need three times the memory.
        model = machine.fit(standardised(X, mean, scale, slice(None)), y)
        return lambda new: model.predict(standardised(new, mean, scale, slice(None)))

    return fit


def competitor(name, folder, n):
    """One fit and one batch of answers; prints its figures."""
    from flowers.base.parallel import use_workers

    folder, fit = Path(folder), rivals(name)
    X, y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "y.npy")
    train, new = np.array(X[:n]), np.array(X[-NEW:])
    with use_workers(-1, "threading"):
        answer, fit_s, fit_cpu = time_call(fit, train, y[:n])
        told, answer_s, answer_cpu = time_call(answer, new)
    figures = {
        "fit_s": round(fit_s, 2),
        "fit_cpu_s": round(fit_cpu, 2),
        "answer_ms": round(1000 * answer_s / NEW, 2),
        "answer_cpu_ms": round(1000 * answer_cpu / NEW, 2),
        "peak_mb": round(read_peak_mb()),
        "accuracy": round(float(np.mean(told == y[-NEW:])), 4),
    }
    print(json.dumps(figures))


def main(source=None):
    images, labels = photos(source)
    names = [n for n in COMPETITORS if n != "intelex" or find_spec("sklearnex")]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        X, y = made_up(images, labels, max(SIZES) + NEW)
        np.save(Path(folder, "X.npy"), X)
        np.save(Path(folder, "y.npy"), y)
        for n in SIZES:
            for name in names:
                if name != "plain" or n <= PLAIN_AT_MOST:
                    environment = DETERMINISTIC_ENVIRONMENT | os.environ if name == "ours" else None
                    found = run_competitor(
                        "benchmarks.race", name, folder, n, environment=environment
                    )
                    results.setdefault(name, {})[n] = found
                    print(f"{name:<8} {n:>5}", *(f"{k} {v}" for k, v in found.items()), flush=True)
                    write(results, source)


def write(results, source):
    """What is known so far, as figures and picture."""
    load = round(os.getloadavg()[0], 1)
    facts = {"cores": os.cpu_count(), "load": load, "real_photos": source is not None}
    written = facts | {"results": results}
    RESULTS.write_text(json.dumps(written, indent=2) + "\n")
    PICTURE.write_text(picture(results))


def table(written):
    """A row for each competitor and number of photos."""
    rows = [
        "| | photos | fit | its processor time | an answer | its processor time | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in written["results"].items():
        for n, told in found.items():
            rows.append(
                f"| {COMPETITORS[name]} | {int(n):,} | {told['fit_s']:.1f} s "
                f"| {told['fit_cpu_s']:.1f} s | {told['answer_ms']:.1f} ms "
                f"| {told['answer_cpu_ms']:.1f} ms | {told['peak_mb']:,} MB |"
            )
    return "\n".join([*rows, "", "![Fit and answers against the number of photos](race.svg)"])


def picture(results):
    """Time of the fit and of an answer against the number of photos."""
    from matplotlib.figure import Figure

    from flowers.base.plots import to_svg

    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    for ax, key, title in zip(
        figure.subplots(1, 2),
        ("fit_s", "answer_ms"),
        ("Fit (seconds)", "Answer in a batch (milliseconds a photo)"),
        strict=True,
    ):
        for name, found in results.items():
            ax.plot(list(map(int, found)), [f[key] for f in found.values()], "o-", label=name)
        ax.set(title=title, xlabel="training photos, 49,152 pixel values each")
        ax.set(xscale="log", yscale="log", xticks=SIZES, xticklabels=[f"{n:,}" for n in SIZES])
        ax.minorticks_off()
    ax.legend([COMPETITORS[name] for name in results], frameon=False)
    return to_svg(figure)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        competitor(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(*sys.argv[1:2])
