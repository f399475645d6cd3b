"""Rows for the tests of classifiers: overlapping classes in the dtypes of features."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from flowers.learning.standardisation import BLOCK_COLUMNS

CLASSES = np.array(["Lilly", "Lotus", "Orchid", "Sunflower", "Tulip"])


def make_rows(n=150, d=60, classes=5, dtype="uint8", seed=0, shift=20.0):
    """n rows with class means about `shift` apart in each column, and their labels."""
    generator = np.random.default_rng(seed)
    means = generator.normal(0, shift, (classes, d))
    index = np.arange(n) % classes
    X = 128 + means[index] + generator.normal(0, 40, (n, d))
    X = np.clip(np.round(X), 0, 255).astype(np.uint8)
    return (X if dtype == "uint8" else (X / 255).astype(dtype)), CLASSES[index]


def make_table(dtype, n=40, d=BLOCK_COLUMNS + 100, seed=0):
    """n random rows over the range of the features."""
    generator = np.random.default_rng(seed)
    if dtype == "uint8":
        return generator.integers(0, 256, (n, d), dtype=np.uint8)
    return generator.random((n, d)).astype(dtype)


def make_duplicates(n=60, copies=4, noise=0.02):
    """Rows with random labels and their near-duplicates: there is nothing to generalise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 30)).repeat(copies, axis=0)
    labels = (np.arange(n) % 3).repeat(copies)
    return X + noise * rng.normal(size=X.shape), labels, np.arange(n).repeat(copies)


def make_train_and_test(classes=5, dtype="uint8", d=60):
    """160 training and 80 test rows with a constant column, and their labels."""
    X, y = make_rows(n=240, d=d, classes=classes, dtype=dtype)
    X[:, 3] = X[0, 3]
    return X[:160], y[:160], X[160:], y[160:]


def prepare_linear(X, new, standardise):
    """Rows as a linear kernel takes them: standardised or not, and of mean squared norm 1."""
    X = X.astype(float)
    new = new.astype(float)
    if standardise:
        scaler = StandardScaler().fit(X)
        X = scaler.transform(X)
        new = scaler.transform(new)
    size = np.sqrt((X**2).sum(axis=1).mean())
    return X / size, new / size
