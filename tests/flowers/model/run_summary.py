"""The results of a run, for tests that write a model folder."""

from tests.flowers.learning.estimator_data import CLASSES

RUN_SUMMARY = {
    "study": {"name": "flowers", "title": "Which flower is it?", "noun": "flower"},
    "metrics": {
        "distinct": 9,
        "accuracy": 0.5,
        "accuracy_low": 0.4,
        "accuracy_high": 0.6,
        "macro_f1": 0.5,
        "log_loss": 1.2,
        "calibration_error": 0.1,
    },
    "per_class": [
        {"class": name, "precision": 0.5, "recall": 0.25, "f1": 0.333, "photos": 2}
        for name in CLASSES
    ],
    "split": {"train": 40, "test": 10, "leaked_test_photos": 0, "strategy": "grouped"},
    "decision": {"champion": "nb", "reasons": ["nb has the highest accuracy, 0.5000"]},
}
