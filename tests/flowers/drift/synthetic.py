"""Synthetic predictions of a model with three classes."""

import numpy as np

from flowers.drift.label_shift import Population
from flowers.model.reference import Reference


def draw_predictions(truth, rng, strength=2.0, n_classes=3):
    """Probabilities that are correct more often than not."""
    logs = rng.normal(size=(len(truth), n_classes))
    logs[np.arange(len(truth)), truth] += strength
    odds = np.exp(logs)
    return odds / odds.sum(axis=1, keepdims=True)


def draw_shares(size, seed=0, concentration=(1, 1, 1)):
    return np.random.default_rng(seed).dirichlet(concentration, size)


def make_reference(probabilities, truth):
    rows = np.arange(len(truth))
    classes = ["Iris", "Rose", "Tulip"]
    return Reference(classes, rows, rows, truth, probabilities, np.zeros((len(truth), 8), "f4"))


def draw_reference(rng, count=400, n_classes=3):
    truth = rng.integers(0, n_classes, count)
    return make_reference(draw_predictions(truth, rng), truth)


def adjust_scores(reference, truth, probabilities):
    """Adjusted scores and class-proportion estimates of predictions, given a reference set."""
    population = Population(np.concatenate([reference, probabilities]))
    tables = population.adjust_scores(np.arange(len(reference)), truth)
    return tuple(table[len(reference) :] for table in tables)
