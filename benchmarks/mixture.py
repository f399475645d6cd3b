"""Mixtures of the codebook beside those of scikit-learn: python -m benchmarks.mixture.

Each fits 256 Gaussians to the same rows in a process of its own; what counts is processor time,
peak memory and the mean log-density of the rows.
"""

import subprocess
import sys
from resource import RUSAGE_SELF, getrusage
from time import process_time

import stages  # noqa: F401, first: its pins hold for numpy

# isort: split
import numpy as np
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from flowers.features import codebook_fitting
from flowers.features.codebook import DescriptorMixture

ROWS, WIDTH, WORDS, CLUSTERS = 100_000, 66, 256, 400


def problem():
    """Rows in clusters, and a start that both mixtures get."""
    random = np.random.default_rng(0)
    centres = random.normal(0, 1, (CLUSTERS, WIDTH))
    rows = centres[random.integers(0, CLUSTERS, ROWS)] + random.normal(0, 0.7, (ROWS, WIDTH))
    rows = rows.astype(np.float32)
    start = KMeans(WORDS, n_init=1, max_iter=3, random_state=0).fit(rows)
    shares = np.bincount(start.labels_, minlength=WORDS) / ROWS
    variances = np.tile(rows.var(axis=0), (WORDS, 1))
    return rows, (shares.astype(np.float32), start.cluster_centers_, variances)


def ours(rows, start):
    first = DescriptorMixture(None, None, None, *start)
    found = codebook_fitting._run_em(first, rows, np.float32(1e-3))
    return found.weights, found.means, found.variances


def theirs(rows, start):
    shares, means, variances = start
    mixture = GaussianMixture(
        WORDS,
        covariance_type="diag",
        max_iter=codebook_fitting.STEPS,
        reg_covar=1e-3,
        tol=0,
        weights_init=shares / shares.sum(),
        means_init=means,
        precisions_init=1 / variances,
    ).fit(rows)
    return mixture.weights_, mixture.means_, mixture.covariances_


def log_density(rows, shares, means, variances):
    """Mean over the rows."""
    judge = GaussianMixture(WORDS, covariance_type="diag")
    judge.weights_, judge.means_, judge.covariances_ = (
        np.asarray(a, float) for a in (shares, means, variances)
    )
    judge.weights_ /= judge.weights_.sum()
    judge.precisions_cholesky_ = judge.covariances_**-0.5
    return judge.score(rows.astype(float)[:10_000])


def main(name):
    rows, start = problem()
    began = process_time()
    with codebook_fitting._use_one_thread():
        found = {"ours": ours, "scikit-learn": theirs}[name](rows, start)
    spent, peak = process_time() - began, getrusage(RUSAGE_SELF).ru_maxrss / 1000
    density = log_density(rows, *found)
    print(f"{name:12}  {spent:9.1f}  {peak:9,.0f}  {density:11.3f}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        print("mixture       processor  peak in MB  log-density", flush=True)
        for name in ("ours", "scikit-learn"):
            subprocess.run([sys.executable, "-m", "benchmarks.mixture", name], check=True)
