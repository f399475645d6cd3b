"""Synthetic predictions of a model with three classes."""

import numpy as np

from flowers.drift.detector import Stream
from flowers.drift.label_shift import ScoreAdjustment
from flowers.log.record import UNKNOWN
from flowers.log.table import build_row_dtype
from flowers.model.reference import Reference


def draw_predictions(truth, rng, strength=2.0, n_classes=3):
    """Probabilities that are correct more often than not."""
    logs = rng.normal(size=(len(truth), n_classes))
    logs[np.arange(len(truth)), truth] += strength
    odds = np.exp(logs)
    return odds / odds.sum(axis=1, keepdims=True)


def draw_shares(size, seed=0, concentration=(1, 1, 1)):
    return np.random.default_rng(seed).dirichlet(concentration, size)


def make_reference(probabilities, truth, typicality=None):
    rows = np.arange(len(truth))
    classes = [f"class {c}" for c in range(probabilities.shape[1])]
    image = np.zeros((len(truth), 8), "f4")
    return Reference(classes, rows, rows, truth, probabilities, image, typicality)


def draw_reference(rng, count=400, n_classes=3):
    truth = rng.integers(0, n_classes, count)
    return make_reference(draw_predictions(truth, rng), truth)


def adjust_scores(reference, truth, probabilities):
    """Adjusted scores and class-proportion estimates of predictions, given a reference set."""
    stream = Stream(probabilities, np.zeros(len(probabilities)))
    return ScoreAdjustment(make_reference(reference, truth)).adjust_scores(stream)


def make_rows(probabilities, **columns):
    """Rows of the log, one every three minutes, without labels unless they are given."""
    rows = np.zeros(len(probabilities), build_row_dtype(probabilities.shape[1]))
    rows["probabilities"] = probabilities
    rows["time"] = np.datetime64("2026-01-01") + 3 * np.arange(len(rows)).astype("m8[m]")
    rows["request_id"] = [f"r{i}" for i in range(len(rows))]
    rows["truth"] = UNKNOWN
    for name, column in columns.items():
        rows[name] = column
    return rows
