"""Rows for the tests of classifiers: classes that overlap, in the dtypes of features."""

import numpy as np

CLASSES = np.array(["Lilly", "Lotus", "Orchid", "Sunflower", "Tulip"])


def rows(n=150, d=60, classes=5, dtype="uint8", seed=0, shift=20.0):
    """n rows with class means about `shift` apart in each column, and their labels."""
    generator = np.random.default_rng(seed)
    means = generator.normal(0, shift, (classes, d))
    index = np.arange(n) % classes
    X = 128 + means[index] + generator.normal(0, 40, (n, d))
    X = np.clip(np.round(X), 0, 255).astype(np.uint8)
    return (X if dtype == "uint8" else (X / 255).astype(dtype)), CLASSES[index]
