"""The drift detector against its predecessor on many kinds of traffic: python -m study.drift_power.

The predecessor compared windows of 200 predictions, repeated photos included, by Kolmogorov-Smirnov
tests of each probability and a chi-square test of the labels (Holm, 1 %). It raised an alert when
two consecutive windows differed. No threshold was chosen on these streams. Needs data/ and
models/candidate of a run; writes study/drift_power.json.
"""

import argparse

import dvc.api
import numpy as np
from tqdm import tqdm

from flowers.base.tables import read_csv, read_json, write_json
from flowers.drift.detector import DETECTORS, keep_one_per_group
from flowers.drift.windows import compare_windows
from flowers.drift_simulation import power, traffic
from flowers.images.index import get_sizes
from flowers.model import folder as model_folder
from flowers.model.reference import read_reference
from study.repository import ROOT

FIGURES = ROOT / "study" / "drift_power.json"
MODEL = "models/candidate"
WINDOW = 200
ALPHA = 0.01  # of the predecessor
BATCH = 20  # streams at a time, for memory
POPULAR_PHOTOS = 20_000
ZIPF_EXPONENT = 0.8
TRAFFIC = {
    "independent": {},
    "each photo sent twice": {"repeats": "twice"},
    "photos in bursts of 3": {"repeats": "bursts"},
    "popular photos (Zipf 0.8)": {"repeats": "popular"},
    "classes in bursts of 3": {"burst": 3.0},
    "classes in bursts of 5": {"burst": 5.0},
    "daily class proportions, sd 3 points": {"day_sd": 0.03},
    "daily class proportions, sd 5 points": {"day_sd": 0.05},
}


def draw_photo_numbers(repeats, size, rng):
    """Number of the photo at each place of each stream, shape (s, n); equal ones are repeats."""
    count, length = size
    if repeats == "twice":
        return np.tile(np.arange(length) // 2, (count, 1))
    if repeats == "bursts":
        return np.cumsum(rng.random(size) < 1 / 3, axis=1)
    weights = np.arange(1, POPULAR_PHOTOS + 1) ** -ZIPF_EXPONENT
    return rng.choice(POPULAR_PHOTOS, size, p=weights / weights.sum())


def draw_traffic(simulator, count, rng, repeats=None, **kind):
    """Draw streams without a shift, and the same without repeats, cut to the shortest of them."""
    size = count, power.STREAM_LENGTH
    streams = traffic.draw_streams(simulator.reference, size, rng, **kind)
    if repeats is None:
        return streams, streams
    numbers = draw_photo_numbers(repeats, size, rng)
    photos = traffic.draw_streams(simulator.reference, (count, numbers.max() + 1), rng)
    firsts = [np.sort(np.unique(line, return_index=True)[1]) for line in numbers]
    shortest = min(map(len, firsts))
    streams = np.take_along_axis(photos, numbers, axis=1)
    distinct = [line[f[:shortest]] for line, f in zip(streams, firsts, strict=True)]
    return streams, np.stack(distinct)


def detect_by_windows(population, reference, stream):
    """Prediction at which the predecessor raises an alert, infinite if it does not."""
    predictions = population[stream[: len(stream) // WINDOW * WINDOW]]
    windows = predictions.reshape(-1, WINDOW, population.shape[1])
    p_values, effects = compare_windows(reference, windows)
    differs = ((p_values <= ALPHA) & (effects >= 0.1)).any(axis=1)
    twice = differs[1:] & differs[:-1]
    return (int(twice.argmax()) + 2) * WINDOW if twice.any() else np.inf


def detect_all_by_windows(population, simulator, references, streams):
    """Apply `detect_by_windows` to each stream with its reference set."""
    probabilities = simulator.reference.probabilities
    return np.array(
        [
            detect_by_windows(population, probabilities[rows], stream)
            for rows, stream in zip(references, streams, strict=True)
        ]
    )


def simulate_false_alarms(simulator, count):
    """Share of streams without a shift in which each detector raises an alert."""
    population = simulator.reference.probabilities
    figures = {}
    for name, kind in tqdm(TRAFFIC.items(), desc="false alarms", disable=None):
        rng = np.random.default_rng(simulator.seed)
        previous = []
        detectors = []
        for _ in range(0, count, BATCH):
            streams, distinct = draw_traffic(simulator, BATCH, rng, **kind)
            references = simulator.draw_references(BATCH, rng)
            delays = detect_all_by_windows(population, simulator, references, streams)
            previous += np.isfinite(delays).tolist()
            detections = simulator.detect_in_streams(population, references, distinct, rng)
            alerts = [detection.alert for detection, _ in detections]
            detectors += [alert and alert.detector for alert in alerts]
        n = len(detectors)
        figures[name] = {"streams": n, "previous": float(np.mean(previous))}
        figures[name]["current"] = float(np.mean([d is not None for d in detectors]))
        figures[name] |= {d.replace(" ", "_"): detectors.count(d) / n for d in DETECTORS}
    return figures


def simulate_delays(simulator, shift, count):
    """Share of streams in which each detector finds a shift within `power.WITHIN` predictions."""
    current = simulator.simulate_shift(shift, count)
    rng = np.random.default_rng(simulator.seed)
    streams = simulator.draw_shifted(shift, (count, power.WITHIN[-1]), rng)
    references = simulator.draw_references(count, rng)
    population = np.concatenate([simulator.reference.probabilities, shift.probabilities])
    previous = detect_all_by_windows(population, simulator, references, streams)
    median = np.median(previous)
    return {
        "accuracy_drop": current["accuracy_drop"],
        "previous": [float((previous <= n).mean()) for n in power.WITHIN],
        "current": [current[f"detected_within_{n}"] for n in power.WITHIN],
        "previous_median_delay": int(median) if np.isfinite(median) else None,
        "current_median_delay": current["median_delay"],
    }


def main(count, seed):
    params = dvc.api.params_show("params.yaml")
    predictor = model_folder.load_predictor(MODEL)
    reference = read_reference(model_folder.find_reference(MODEL))
    rows = power.select_spread(reference.group, params["drift_power"]["images"])
    images = np.load("data/images.npy", mmap_mode="r")[reference.row[rows]]
    sizes = get_sizes(read_csv("data/index.csv"))[reference.row[rows]]
    simulator = power.Simulator(reference, params["drift"], seed)
    shifts = power.build_shifts(reference, predictor.predict_proba, images, sizes, rows, [1.0, 0.3])
    figures = {
        "stream_length": power.STREAM_LENGTH,
        "distinct": len(keep_one_per_group(reference).group),
        "seed": seed,
        "before_shift": power.BEFORE_SHIFT,
        "proportion_tolerance": params["drift"]["proportion_tolerance"],
        "within": power.WITHIN,
        "false_alarms": simulate_false_alarms(simulator, count),
        "shifts": {
            name: simulate_delays(simulator, shift, max(20, count // 2))
            for name, shift in tqdm(shifts, desc="shifts", disable=None)
        },
    }
    results = read_json(FIGURES) if FIGURES.is_file() else {}
    write_json(FIGURES, results | {params["fetch"]["source"]: figures})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m study.drift_power", description=__doc__)
    parser.add_argument("--streams", type=int, default=100, help="of each kind of traffic")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    main(options.streams, options.seed)
