"""One Gram matrix against plain scikit-learn: the same calibrated SVM, fitted both ways."""

import time

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from flowers.learning.svm import GramSVC

PHOTOS = 300  # plain SVC grows with the square: 300 photos take it half a minute


def timed(fit):
    start = time.perf_counter()
    model = fit()
    return time.perf_counter() - start, model


def main():
    rng = np.random.default_rng(0)
    y = np.arange(PHOTOS) % 5
    blobs = rng.normal(128, 40, (PHOTOS, 48 * 1024)) + 8 * rng.normal(size=(5, 48 * 1024))[y]
    X = np.clip(blobs, 0, 255).astype(np.uint8)
    folds = GramSVC().folds
    plain = make_pipeline(StandardScaler(), SVC())
    calibrated = CalibratedClassifierCV(plain, method="temperature", cv=folds, ensemble=False)
    ours, model = timed(lambda: GramSVC().fit(X, y))
    theirs, other = timed(lambda: calibrated.fit(X.astype(np.float64), y))
    same = np.mean(model.predict(X) == other.predict(X.astype(np.float64)))
    print(f"{PHOTOS} photos x {X.shape[1]} pixels, one fit with calibration on {folds} folds")
    print(f"plain scikit-learn {theirs:6.1f} s")
    print(f"one Gram matrix    {ours:6.1f} s   {theirs / ours:.0f} times as fast")
    print(f"same label on {100 * same:.1f} % of the photos")


if __name__ == "__main__":
    main()
