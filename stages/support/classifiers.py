"""The classifier of train_other, from its name; importing this module takes a second."""

import importlib
import inspect
from contextlib import contextmanager
from difflib import get_close_matches
from textwrap import shorten

from sklearn.base import BaseEstimator, ClassifierMixin

from flowers.base.errors import BadInput

PACKAGE = "sklearn"  # no other code is imported by name
EXAMPLE = "sklearn.ensemble.ExtraTreesClassifier"
RESERVED = {
    "n_jobs": "the variable JOBS sets the number of workers",
    "decision_function_shape": "it must have its default, one decision value per class",
}


def find_classifier(name):
    """Import the class of a public classifier of scikit-learn by its full name."""
    fault = f"train_other.estimator is {name!r}"
    package, *parts = name.split(".")
    private = [p for p in parts if not p or p.startswith("_") or p in ("conftest", "tests")]
    if package != PACKAGE or len(parts) < 2 or private:
        raise BadInput(f"{fault}: name a public classifier of scikit-learn, such as {EXAMPLE}")
    path, _, class_name = name.rpartition(".")
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        raise BadInput(f"{fault}, but {error}: name a classifier such as {EXAMPLE}") from error
    classes = {key: value for key, value in vars(module).items() if is_classifier_class(value)}
    public = getattr(module, "__all__", [k for k, c in classes.items() if c.__module__ == path])
    classes = {key: value for key, value in classes.items() if key in public}
    if class_name not in classes:
        choice = format_choice(class_name, classes) or f"name a classifier such as {EXAMPLE}"
        raise BadInput(f"{fault}, which is no classifier of {path}: {choice}")
    return classes[class_name]


def is_classifier_class(value):
    """Whether a value is the class of a classifier that can have instances."""
    is_class = isinstance(value, type) and not inspect.isabstract(value)
    return is_class and issubclass(value, BaseEstimator) and issubclass(value, ClassifierMixin)


def format_choice(name, names):
    """Format the name that was probably meant, or all names; empty without names."""
    matches = get_close_matches(name, names, 1)
    return (
        f"did you mean {matches[0]}?"
        if matches
        else ", ".join(names) and (f"choose one of {', '.join(sorted(names))}")
    )


def make_classifier(estimator, options=None, seed=0):
    """Make the classifier of train_other.

    Parameters
    ----------
    estimator : str
        Full name of a class, such as ``EXAMPLE``.
    options : dict, optional
        Its parameters.
    seed : int
        Value of ``random_state`` if the class has it and `options` has none.

    Raises
    ------
    BadInput
        If the class is no public classifier, or cannot be made with these options.
    """
    cls = find_classifier(estimator)
    params = inspect.signature(cls).parameters
    values = {"random_state": seed} if "random_state" in params else {}
    for key, value in (options or {}).items():
        fault = f"train_other.options.{key} is {value!r}"
        if key in RESERVED:
            raise BadInput(f"{fault}: {RESERVED[key]}; remove this option")
        if key not in params:
            choice = format_choice(key, set(params) - set(RESERVED))
            raise BadInput(f"{fault}, but {estimator} has no such parameter: {choice}")
        if key == "random_state" and not isinstance(value, int):
            raise BadInput(f"{fault}: set an integer, or remove it to use train_svm.seed")
        values[key] = value
    missing = [key for key, p in params.items() if p.default is p.empty and key not in values]
    if missing:
        raise BadInput(
            f"train_other.estimator is {estimator!r}, which needs {', '.join(missing)}: name a "
            f"classifier without required parameters, such as {EXAMPLE}"
        )
    return cls(**values)


@contextmanager
def refuse_faults(name):
    """Turn an error inside the fit of a classifier into BadInput; a classifier may raise any."""
    try:
        yield
    except (BadInput, MemoryError):
        raise
    except Exception as error:
        message = shorten(str(error), 300)
        raise BadInput(
            f"{name} cannot be fitted to these rows ({type(error).__name__}: {message}): change "
            "train_other or flatten.features"
        ) from error
