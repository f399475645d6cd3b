"""The solvers of train_svm on the same Fisher vectors: python -m benchmarks.solvers SOURCE [n ...].

The rows are those of the recipe fisher-small, from real photos; a fifth of the pictures is the test
set. Up to 8,000 training rows both solvers are fitted, with more (20,000 by default) only `sgd`,
which reads them out of core. Copies with noise make up missing rows. Each fit runs in a process of
its own. Writes benchmarks/solvers.json.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import read_memory_mb, run_competitor, sort_by_size, time_call
from flowers.base.tables import read_json, write_json
from flowers.evaluation.comparison import compare_paired
from flowers.evaluation.metrics import compute_bootstrap_interval
from study.repository import ROOT

# Training rows.
IN_MEMORY = (1000, 2000, 4000, 8000)
OUT_OF_CORE = (20_000,)
RECIPE = "fisher-small"
NOISE_SD = 10  # of copies; the standard deviation of an entry is 21
SEED = 0
BATCH = 512
RESULTS = ROOT / "benchmarks" / "solvers.json"


def prepare_photos(source, folder):
    """Write training rows and test rows of the photos to photos.npz."""
    from flowers.base.parallel import use_workers
    from flowers.splits import split_by_group
    from study.experiments import get_source_params
    from study.folds import extract_rows, read_codebook_params
    from study.photos import decode_photos, find_groups, read_photos
    from study.recipes import read_section

    labels, photos = read_photos(get_source_params(source)["fetch.path"])
    images, sizes = decode_photos(photos, **read_section(RECIPE, "resize"))
    codebook_params = read_codebook_params(RECIPE)
    with use_workers(-1, "threading"):
        groups = find_groups(photos)
        test = split_by_group(labels, groups, 0.2, SEED)
        train_rows = np.flatnonzero(~test)
        (X,), _ = extract_rows(images, sizes, train_rows, codebook_params)
    np.savez(
        folder / "photos.npz",
        X=X[~test],
        y=labels[~test],
        groups=groups[~test],
        X_test=X[test],
        y_test=labels[test],
        groups_test=groups[test],
    )


def write_rows(folder, n):
    """Write `n` training rows: the photos in random order, then copies with noise."""
    photos = np.load(folder / "photos.npz")
    rng = np.random.default_rng(SEED)
    X = photos["X"]
    order = rng.permutation(n) % len(X) if n > len(X) else rng.permutation(len(X))[:n]
    is_first = np.zeros(n, bool)
    is_first[np.unique(order, return_index=True)[1]] = True
    rows = np.lib.format.open_memmap(folder / "rows.npy", "w+", np.int8, (n, X.shape[1]))
    for k in range(0, n, BATCH):
        batch = X[order[k : k + BATCH]].astype(np.float32)
        noise = NOISE_SD * rng.standard_normal(batch.shape, np.float32)
        batch += np.where(is_first[k : k + BATCH, None], 0, noise)
        rows[k : k + BATCH] = np.clip(np.rint(batch), -127, 127)
    rows.flush()
    np.savez(folder / "labels.npz", y=photos["y"][order], groups=photos["groups"][order])


def fit_solver(name, rows, y, groups):
    """Fit a solver; return the classifier and further figures of the fit."""
    from study.recipes import read_svm_params

    params = read_svm_params(RECIPE)
    if name == "gram":
        from flowers.learning.svm import GramSVC

        return GramSVC(**params).fit(np.array(rows), y, groups), {}
    if name == "sgd":
        from flowers.learning.sdca import OutOfCoreMatrix, StreamedSVC

        model = StreamedSVC(**params).fit(
            OutOfCoreMatrix([(rows, np.arange(len(rows)))]), y, groups
        )
        return model, {"duality_gap": model.gap_}
    return fit_sgd_classifier(rows, y), {}


def fit_sgd_classifier(rows, y, passes=20):
    """Minimise the same objective by scikit-learn's averaged SGD, in batches."""
    from sklearn.linear_model import SGDClassifier

    length = np.mean([np.square(row, dtype=np.float32).sum() for row in rows])
    factor = np.float32(1 / np.sqrt(length))
    rng = np.random.default_rng(SEED)
    model = SGDClassifier(alpha=1 / (2.0 * len(rows)), average=True, random_state=SEED)
    for _ in range(passes):
        order = rng.permutation(len(rows))
        for k in range(0, len(rows), BATCH):
            batch = order[k : k + BATCH]
            model.partial_fit(rows[batch] * factor, y[batch], classes=np.unique(y))
    model.coef_ *= factor
    return model


def run_solver(name, folder):
    """Fit one solver, evaluate it on the test rows, and print its figures."""
    from flowers.base.parallel import use_workers

    rows = np.load(folder / "rows.npy", mmap_mode="r")
    labels = np.load(folder / "labels.npz")
    photos = np.load(folder / "photos.npz")
    y = labels["y"]
    groups = labels["groups"]
    with use_workers(-1, "threading"):
        (model, figures), wall, cpu = time_call(fit_solver, name, rows, y, groups)
    figures = {"fit_s": wall, "fit_cpu_s": cpu, "peak_mb": read_memory_mb()} | figures
    correct = model.predict(photos["X_test"]) == photos["y_test"]
    np.save(folder / f"{name}.npy", correct)
    low, high = compute_bootstrap_interval(correct, photos["groups_test"], 2000, SEED)
    figures |= {"accuracy": float(correct.mean()), "low": low, "high": high}
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}))


def select_solvers(n):
    """Solvers that are fitted to `n` rows."""
    if n > max(IN_MEMORY):
        return ["sgd"]
    return ["gram", "sgd", "SGDClassifier"] if n == min(IN_MEMORY) else ["gram", "sgd"]


def main(source, sizes):
    results = read_json(RESULTS) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="rows-") as name:
        folder = Path(name)
        prepare_photos(source, folder)
        for n in sizes:
            write_rows(folder, n)
            solvers = select_solvers(n)
            figures = {s: run_competitor("benchmarks.solvers", s, folder) for s in solvers}
            figures["file_mb"] = round((folder / "rows.npy").stat().st_size / 1e6)
            if "gram" in figures:
                gram, sgd = (np.load(folder / f"{solver}.npy") for solver in ("gram", "sgd"))
                groups = np.load(folder / "photos.npz")["groups_test"]
                figures["difference"] = compare_paired(gram, sgd, groups, 2000, SEED)
            results[str(n)] = figures
            write_json(RESULTS, sort_by_size(results))
            print(n, figures, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        run_solver(sys.argv[2], Path(sys.argv[3]))
    elif len(sys.argv) < 2:
        sys.exit("name the photos: python -m benchmarks.solvers /path/of/an/archive")
    else:
        main(sys.argv[1], [int(n) for n in sys.argv[2:]] or [*IN_MEMORY, *OUT_OF_CORE])
