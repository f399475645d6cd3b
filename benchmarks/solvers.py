"""The solvers of train_svm on the same learned rows: python -m benchmarks.solvers ARCHIVE [n ...].

The rows are those of the recipe fisher-small, from real photos, a fifth of which is set aside. Up
to 4,000 training rows both solvers answer it; with more, 20,000 and 100,000 if none are named, the
streamed one alone. Where there are too few rows, noisy copies make up the number. Each fit has a
process of its own. Writes benchmarks/solvers.json; make readme puts it into docs/scale.md.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import read_peak_mb, run_competitor, sort_by_size, time_call
from flowers.evaluation.comparison import compare_paired
from flowers.evaluation.metrics import compute_bootstrap_interval
from study.repository import ROOT

BOTH, STREAMED = (1000, 2000, 4000), (20_000, 100_000)
NOISE = 10  # of copies; an entry's standard deviation is 21
SEED, SIDES = 0, 512
RESULTS = ROOT / "benchmarks" / "solvers.json"
NAMES = {
    "gram": "`gram`",
    "sgd": "`sgd`",
    "library": "scikit-learn's `SGDClassifier`, no calibration",
}


def prepare(source, folder):
    """Rows, mirrored rows, labels and groups of the photos, those set aside beside them."""
    from flowers.base.parallel import use_workers
    from flowers.splits import split_by_group
    from study.experiments import get_source_params
    from study.folds import decode_photos, extract_rows, get_codebook_recipe
    from study.real import find_groups, read_photos
    from study.recipes import RECIPES

    labels, photos = read_photos(get_source_params(source))
    images, sizes = decode_photos(photos, RECIPES["fisher-small"]["resize.size"])
    with use_workers(-1, "threading"):
        groups = find_groups(photos)
        test = split_by_group(labels, groups, 0.2, SEED)
        X, mirrored, _ = extract_rows(
            images, sizes, np.flatnonzero(~test), get_codebook_recipe(RECIPES["fisher-small"])
        )
    np.savez(
        folder / "photos.npz",
        **{"X": np.concatenate([X[~test], mirrored[~test]]), "new": X[test]},
        **{"y": np.tile(labels[~test], 2), "groups": np.tile(groups[~test], 2)},
        **{"truth": labels[test], "apart": groups[test]},
    )


def write_rows(folder, n):
    """A file of so many rows: the photos in a mixed order, then copies with noise."""
    photos, rng = np.load(folder / "photos.npz"), np.random.default_rng(SEED)
    X = photos["X"]
    order = rng.permutation(n) % len(X) if n > len(X) else rng.permutation(len(X))[:n]
    first = np.zeros(n, bool)
    first[np.unique(order, return_index=True)[1]] = True
    path = folder / "rows.npy"
    rows = np.lib.format.open_memmap(path, "w+", np.int8, (n, X.shape[1]))
    for k in range(0, n, SIDES):
        some = X[order[k : k + SIDES]].astype(np.float32)
        noise = NOISE * rng.standard_normal(some.shape, np.float32)
        some += np.where(first[k : k + SIDES, None], 0, noise)
        rows[k : k + SIDES] = np.clip(np.rint(some), -127, 127)
    rows.flush()
    np.savez(folder / "known.npz", y=photos["y"][order], groups=photos["groups"][order])


def fitted(name, rows, y, groups):
    """What answers rows, and what is worth knowing of the fit."""
    params = {"C": 2.0, "standardise": False, "multiclass": "ovr"}
    if name == "gram":
        from flowers.learning.svm import GramSVC

        return GramSVC(kernel="linear", **params).fit(np.array(rows), y, groups), {}
    if name == "sgd":
        from flowers.learning.rows import Rows
        from flowers.learning.sgd import StreamedSVC

        model = StreamedSVC(**params).fit(Rows([rows], np.arange(len(rows))), y, groups)
        return model, {"gap": model.gap_}
    return library(rows, y), {}


def library(rows, y, passes=20):
    """The same objective by scikit-learn's averaged stochastic gradient descent, in batches."""
    from sklearn.linear_model import SGDClassifier

    length = np.mean([np.square(row, dtype=np.float32).sum() for row in rows])
    factor, rng = np.float32(1 / np.sqrt(length)), np.random.default_rng(SEED)
    model = SGDClassifier(alpha=1 / (2.0 * len(rows)), average=True, random_state=SEED)
    for _ in range(passes):
        order = rng.permutation(len(rows))
        for k in range(0, len(rows), SIDES):
            some = order[k : k + SIDES]
            model.partial_fit(rows[some] * factor, y[some], classes=np.unique(y))
    model.coef_ *= factor
    return model


def competitor(name, folder):
    """One fit, and answers for the photos set aside; prints its figures."""
    from flowers.base.parallel import use_workers

    rows, known = np.load(folder / "rows.npy", mmap_mode="r"), np.load(folder / "known.npz")
    photos = np.load(folder / "photos.npz")
    y, groups = known["y"], known["groups"]
    with use_workers(-1, "threading"):
        (model, told), wall, cpu = time_call(fitted, name, rows, y, groups)
    peak = read_peak_mb()
    correct = model.predict(photos["new"]) == photos["truth"]
    np.save(folder / f"{name}.npy", correct)
    low, high = compute_bootstrap_interval(correct, photos["apart"], 2000, SEED)
    accuracy = {"accuracy": float(correct.mean()), "low": low, "high": high}
    seconds = {"fit_s": wall, "fit_cpu_s": cpu, "peak_mb": peak}
    figures = seconds | accuracy | told
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}))


def main(source, sizes):
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="rows-") as name:
        folder = Path(name)
        prepare(source, folder)
        for n in sizes:
            write_rows(folder, n)
            names = ["sgd"] if n > max(BOTH) else list(NAMES) if n == min(BOTH) else ["gram", "sgd"]
            told = {one: run_competitor("benchmarks.solvers", one, folder) for one in names}
            told["file_mb"] = round((folder / "rows.npy").stat().st_size / 1e6)
            if "gram" in told:
                first, second = (np.load(folder / f"{one}.npy") for one in ("gram", "sgd"))
                apart = np.load(folder / "photos.npz")["apart"]
                told["difference"] = compare_paired(first, second, apart, 2000, SEED)
            results[str(n)] = told
            RESULTS.write_text(json.dumps(sort_by_size(results), indent=2) + "\n")
            print(n, told, flush=True)


def table(results):
    """A row for each fit, and what the solvers' answers differ by."""
    rows = [
        "| solver | training rows | their file | fit | processor time | memory | accuracy (95 %) |",
        "|---|---|---|---|---|---|---|",
    ]
    sentences = []
    for n, told in results.items():
        for name, title in NAMES.items():
            if name in told:
                of = told[name]
                rows.append(
                    f"| {title} | {int(n):,} | {told['file_mb']:,} MB | {of['fit_s']:.0f} s "
                    f"| {of['fit_cpu_s']:.0f} s | {of['peak_mb']:,.0f} MB "
                    f"| {of['accuracy']:.3f} ({of['low']:.3f} to {of['high']:.3f}) |"
                )
        if d := told.get("difference"):
            sentences.append(
                f"{int(n):,} rows {d['difference']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f})"
            )
    photos = next(t["difference"]["photos"] for t in results.values() if "difference" in t)
    said = f"Accuracy of `sgd` less that of `gram`, on the same {photos} photos set aside, by whole"
    return "\n".join([*rows, "", said, f"groups of twins: {'; '.join(sentences)}."])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        competitor(sys.argv[2], Path(sys.argv[3]))
    elif len(sys.argv) < 2:
        sys.exit("say which photos: python -m benchmarks.solvers /path/of/an/archive")
    else:
        main(sys.argv[1], [int(n) for n in sys.argv[2:]] or [*BOTH, *STREAMED])
