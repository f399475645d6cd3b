"""Digests of parallel results: python -m tests.flowers.base.worker_digests FOLDER loky:2 ...

Prints a digest of each result for each BACKEND:JOBS. It is a program because the numerics must be
set before numpy is imported, and because a cluster starts processes.
"""

import sys
from hashlib import sha256
from pathlib import Path

from flowers.base.determinism import set_deterministic

set_deterministic()

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from flowers.base.parallel import parallel_map, use_workers  # noqa: E402
from flowers.duplicates.search import find_near_duplicates  # noqa: E402
from flowers.features.extraction import extract_batches  # noqa: E402
from flowers.images.index import load_image  # noqa: E402
from flowers.learning.gram import (  # noqa: E402
    TILE,
    compute_distances_to,
    compute_squared_distances,
)
from flowers.learning.sdca import StreamedSVC  # noqa: E402
from flowers.learning.standardisation import compute_moments  # noqa: E402
from flowers.learning.svm import GramSVC  # noqa: E402
from tests.flowers.features.codebooks import small_codebook  # noqa: E402


def compute_results(photos, images_file):
    """Yield name and result of every kind of parallel work."""
    images = np.load(images_file, mmap_mode="r")
    pixels = images.reshape(len(images), -1)
    loaded = parallel_map(load_image, ((path, 32) for path in photos))
    yield "resize", np.stack([image for image, *_ in loaded])
    thresholds = {"colour": 0.1, "structure": 0.1, "crop": 0.3}  # of noise, so that there are pairs
    matches = find_near_duplicates(images[:60], thresholds)
    yield "near-duplicates", np.concatenate([np.column_stack(pair) for pair in matches.values()])
    sizes = np.tile((4, 3), (len(images), 1))
    numbers = np.arange(len(images))
    parts = extract_batches(images, sizes, {"names": ["hog", "colour"], "codebook": None}, numbers)
    yield "features", np.concatenate([rows for _, rows in parts])
    fisher = {"names": ["fisher"], "codebook": small_codebook()}
    parts = extract_batches(images, sizes, fisher, numbers[:70], copy=1)
    yield "fisher features", np.concatenate([rows for _, rows in parts])
    mean, scale = compute_moments(pixels)
    yield "moments", np.stack([mean, scale])
    distances, norms = compute_squared_distances(pixels, mean, scale)
    yield "distances", distances
    yield "norms", norms
    yield "new rows", compute_distances_to(pixels[: TILE + 9], pixels, norms, mean, scale)
    model = GramSVC(folds=3).fit(pixels[:300], np.arange(300) % 3)
    yield "probabilities", model.predict_proba(pixels)
    model = StreamedSVC(folds=3).fit(pixels[:300], np.arange(300) % 3)
    yield "probabilities of a streamed fit", model.predict_proba(pixels)


def main(folder, kinds):
    photos = sorted(folder.glob("*/*.png"))
    images_file = folder / "images.npy"
    if not photos:
        rng = np.random.default_rng(0)
        for i in range(12):
            path = folder / "Tulip" / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (50, 60, 3), np.uint8)).save(path)
        np.save(images_file, rng.integers(0, 256, (2 * TILE + 30, 32, 32, 3), np.uint8))
        photos = sorted(folder.glob("*/*.png"))
    for kind in kinds:
        backend, jobs = kind.split(":")
        with use_workers(int(jobs), backend, folder):
            for name, array in compute_results(photos, images_file):
                digest = sha256(np.ascontiguousarray(array)).hexdigest()
                print(f"{kind}: {name} {digest}", flush=True)
        assert {p.name for p in folder.iterdir()} == {"Tulip", "images.npy"}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
