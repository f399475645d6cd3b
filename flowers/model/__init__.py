"""A trained model: its folder, its card, its reference set and its predictions."""

import importlib


def __getattr__(name):
    """Import `load_predictor` at first use: the drift stage does not need scikit-learn."""
    if name == "load_predictor":
        return importlib.import_module("flowers.model.folder").load_predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
