"""The default study in scikit-image and scikit-learn: python -m benchmarks.plain_study SOURCE.

Both recipes get the same photos and folds, and learn from the training photos of a fold. The plain
recipe has DAISY descriptors of the channels of CIELAB, principal components, one Gaussian
mixture, improved Fisher vectors and a linear SVM. Writes benchmarks/plain_study.json fold by fold.
"""

import sys

import numpy as np

from benchmarks.measure import require_packages, time_call
from flowers.base.tables import write_json
from flowers.evaluation.comparison import compare_paired
from flowers.learning.folds import make_grouped_folds
from flowers.learning.svm import GramSVC
from study.folds import extract_rows, read_codebook_params
from study.photos import decode_photos, find_groups, read_photos
from study.recipes import read_section, read_svm_params
from study.repository import ROOT

RECIPE = "fisher-small"  # of the project; the plain recipe has its scales, words, samples and C
FOLDS = 5
SEED = 0
COMPONENTS = 80
EM_STEPS = 12  # as many as the project takes
RESULTS = ROOT / "benchmarks" / "plain_study.json"


def describe_photo(image, scales):
    """DAISY descriptors of all scales and channels, shape (m, 408), float32."""
    from skimage.color import rgb2lab
    from skimage.feature import daisy
    from skimage.transform import rescale

    rows = []
    for scale in scales:
        small = rescale(image / np.float32(255), scale, anti_aliasing=True, channel_axis=2)
        channels = np.moveaxis(rgb2lab(small), 2, 0)
        parts = [daisy(channel, step=4, radius=8, rings=2) for channel in channels]
        descriptors = np.concatenate(parts, axis=2)
        rows.append(descriptors.reshape(-1, descriptors.shape[2]))
    return np.concatenate(rows).astype(np.float16)  # of 1,500 photos 1.6 GB


def predict_plain(described, labels, train, test):
    """Train the plain recipe on the rows `train` and predict the rows `test`."""
    from skimage.feature import fisher_vector, learn_gmm
    from sklearn.decomposition import PCA
    from sklearn.svm import LinearSVC

    params = read_section(RECIPE, "codebook")
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(train)[: params["photos"]]
    samples = [rng.permutation(described[i])[: params["per_photo"]] for i in chosen]
    pca = PCA(COMPONENTS, random_state=SEED).fit(np.concatenate(samples))
    options = {"covariance_type": "diag", "max_iter": EM_STEPS, "random_state": SEED}
    mixture = learn_gmm(list(map(pca.transform, samples)), n_modes=params["words"], gm_args=options)
    projected = map(pca.transform, described)
    X = np.float32([fisher_vector(rows, mixture, improved=True) for rows in projected])
    model = LinearSVC(C=read_section(RECIPE, "train_svm")["C"], random_state=SEED)
    return model.fit(X[train], labels[train]).predict(X[test])


def predict_flowers(images, sizes, labels, groups, train, test):
    """Train the recipe of the project, with calibration, and predict the rows `test`."""
    (X,), _ = extract_rows(images, sizes, train, read_codebook_params(RECIPE))
    model = GramSVC(**read_svm_params(RECIPE)).fit(X[train], labels[train], groups[train])
    return model.predict(X[test])


def main(source):
    require_packages("skimage")
    labels, photos = read_photos(source)
    images, sizes = decode_photos(photos)
    groups = find_groups(photos)
    scales = read_section(RECIPE, "codebook")["scales"]
    described, _, describe_cpu = time_call(lambda: [describe_photo(i, scales) for i in images])
    correct = {name: np.empty(0, bool) for name in ("plain", "flowers")}
    seconds = {name: [] for name in correct}
    tested = np.empty(0, int)
    for train, test in make_grouped_folds(labels, groups, FOLDS, SEED):
        tested = np.append(tested, test)
        for name, predict, data in (
            ("plain", predict_plain, (described, labels)),
            ("flowers", predict_flowers, (images, sizes, labels, groups)),
        ):
            predictions, _, cpu = time_call(predict, *data, train, test)
            correct[name] = np.append(correct[name], predictions == labels[test])
            seconds[name].append(round(cpu + describe_cpu * (name == "plain"), 1))
        figures = compare_paired(*correct.values(), groups[tested], 2000, SEED)
        write_json(RESULTS, {"comparison": figures, "cpu_s": seconds})
        print(figures, seconds, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the photos: python -m benchmarks.plain_study /path/of/an/archive")
    main(sys.argv[1])
