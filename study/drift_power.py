"""The drift alarm beside the one before it, on traffic of many kinds: python -m study.drift_power.

--months 200, --seed 7: more of them, or others than those below. Nothing was chosen on them.

The one before compared windows of 200, repeats and all, by Kolmogorov-Smirnov on each probability
and chi-square on the labels (Holm, 1 %), and rang when two in a row differed.
"""

import argparse
import json
from pathlib import Path

import dvc.api
import numpy as np
from tqdm import tqdm

from flowers.base.tables import read_csv
from flowers.drift.detector import DETECTORS, keep_one_per_group
from flowers.drift.windows import compare_windows
from flowers.drift_simulation import traffic
from flowers.drift_simulation.power import (
    BEFORE_SHIFT,
    STREAM_LENGTH,
    WITHIN,
    Simulator,
    build_shifts,
    select_spread,
)
from flowers.images.index import get_sizes
from flowers.model import folder as model_folder
from flowers.model.reference import read_reference

FIGURES = Path(__file__).with_name("alarms.json")
OLD_WINDOW, OLD_ALPHA = 200, 0.01
POPULAR, ZIPF = 20_000, 0.8
KINDS = {
    "independent": {},
    "each photo sent twice": {"again": "twice"},
    "photos in bursts of 3": {"again": "bursts"},
    "popular photos (Zipf 0.8)": {"again": "popular"},
    "classes in bursts of 3": {"burst": 3.0},
    "classes in bursts of 5": {"burst": 5.0},
    "mix of a day, sd 3 points": {"day_sd": 0.03},
    "mix of a day, sd 5 points": {"day_sd": 0.05},
}


def repeated(again, size, rng):
    """Number of the photo at each place of each stream, (s, n); equal ones are repeats."""
    count, length = size
    if again == "twice":
        return np.tile(np.arange(length) // 2, (count, 1))
    if again == "bursts":
        return np.cumsum(rng.random(size) < 1 / 3, axis=1)
    weights = np.arange(1, POPULAR + 1) ** -ZIPF
    return rng.choice(POPULAR, size, p=weights / weights.sum())


def month(simulator, count, rng, again=None, **kind):
    """Streams as they come, and the same without repeats, as long as the shortest of them."""
    size = count, STREAM_LENGTH
    drawn = traffic.draw_streams(simulator.reference, size, rng, **kind)
    if again is None:
        return drawn, drawn
    photos = repeated(again, size, rng)
    pool = traffic.draw_streams(simulator.reference, (count, photos.max() + 1), rng)
    firsts = [np.sort(np.unique(line, return_index=True)[1]) for line in photos]
    least = min(map(len, firsts))
    come = np.take_along_axis(pool, photos, axis=1)
    return come, np.stack([line[f[:least]] for line, f in zip(come, firsts, strict=True)])


def old_rings(population, held, rows):
    """Photo at which the old alarm rings, infinite if it does not."""
    kept = population[rows[: len(rows) // OLD_WINDOW * OLD_WINDOW]]
    windows = kept.reshape(-1, OLD_WINDOW, population.shape[1])
    p_values, effects = compare_windows(held, windows)
    differs = ((p_values <= OLD_ALPHA) & (effects >= 0.1)).any(axis=1)
    twice = differs[1:] & differs[:-1]
    return (int(twice.argmax()) + 2) * OLD_WINDOW if twice.any() else np.inf


def months(simulator, count):
    """Share of streams without a shift that ring: the old alarm beside the new."""
    found, answers = {}, simulator.reference.probabilities
    for name, kind in tqdm(KINDS.items(), desc="months", disable=None):
        rng, old, new = np.random.default_rng(simulator.seed), [], []
        for _ in range(0, count, 20):
            come, distinct = month(simulator, 20, rng, **kind)
            references = simulator.draw_references(20, rng)
            old += [
                np.isfinite(old_rings(answers, answers[r], rows))
                for r, rows in zip(references, come, strict=True)
            ]
            detections = simulator.detect_in_streams(answers, references, distinct, rng)
            new += [detection.alert and detection.alert.detector for detection, _ in detections]
        found[name] = {"streams": len(old), "old": float(np.mean(old))}
        found[name]["new"] = float(np.mean([by is not None for by in new]))
        found[name] |= {d.replace(" ", "_"): new.count(d) / len(new) for d in DETECTORS}
    return found


def delays(simulator, case, count):
    """Photos until each alarm rings after a shift, as shares within ``WITHIN``."""
    told, rng = simulator.simulate_shift(case, count), np.random.default_rng(simulator.seed)
    late = simulator.draw_shifted(case, (count, WITHIN[-1]), rng, {})
    answers = simulator.reference.probabilities
    population = np.concatenate([answers, case.probabilities])
    old = np.array(
        [
            old_rings(population, answers[r], rows)
            for r, rows in zip(simulator.draw_references(count, rng), late, strict=True)
        ]
    )
    median = np.median(old)
    return {
        "accuracy_drop": told["accuracy_drop"],
        "old": [float((old <= n).mean()) for n in WITHIN],
        "new": [told[f"detected_within_{n}"] for n in WITHIN],
        "old_median_photos": int(median) if np.isfinite(median) else None,
        "new_median_photos": told["median_delay"],
    }


def main(count, seed):
    everything = dvc.api.params_show("params.yaml")
    params = everything["drift"]
    model = model_folder.load_predictor("models/candidate")
    held_out = read_reference(model_folder.find_reference("models/candidate"))
    rows = select_spread(held_out.group, everything["drift_power"]["images"])
    images = np.load("data/images.npy", mmap_mode="r")[held_out.row[rows]]
    sizes = get_sizes(read_csv("data/index.csv"))[held_out.row[rows]]
    simulator = Simulator(held_out, params, seed)
    made = build_shifts(held_out, model.predict_proba, images, sizes, rows, [1.0, 0.3])
    found = {
        "photos": STREAM_LENGTH,
        "distinct": len(keep_one_per_group(held_out).group),
        "seed": seed,
        "quiet": BEFORE_SHIFT,
        "proportion_tolerance": params["proportion_tolerance"],
        "within": WITHIN,
        "false_alarms": months(simulator, count),
        "shifts": {
            name: delays(simulator, case, max(20, count // 2))
            for name, case in tqdm(made, disable=None)
        },
    }
    told = json.loads(FIGURES.read_text()) if FIGURES.is_file() else {}
    told[everything["fetch"]["source"]] = rounded(found)
    FIGURES.write_text(json.dumps(told, indent=2) + "\n")
    for name, rates in found["false_alarms"].items():
        by = ", ".join(f"{d} {100 * rates[d.replace(' ', '_')]:.1f}" for d in DETECTORS)
        print(
            f"{name:<28} old {100 * rates['old']:5.1f} %   new {100 * rates['new']:5.1f} % ({by})"
        )
    for name, rates in found["shifts"].items():
        old, new = (" ".join(f"{100 * x:3.0f}" for x in rates[key]) for key in ("old", "new"))
        print(f"{name:<18} {-100 * rates['accuracy_drop']:+6.1f} points   old {old}   new {new}")


def rounded(found):
    """The same with four decimals."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [rounded(value) for value in found]
    return round(found, 4) if isinstance(found, float) else found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--months", type=int, default=100)
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    main(given.months, given.seed)
