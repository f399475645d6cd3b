"""Run a stage: check the parameters, and print one line of result or of error."""

import json
import math
import os
import sys
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path

import jsonschema
from ruamel.yaml import YAML, YAMLError

from flowers.base.determinism import NUMERICS, read_numerics
from flowers.base.errors import BadInput

PIPELINES = ("dvc.yaml", "power/dvc.yaml")  # the second one by make power alone
# Exists if make repro ran with NUMERICS=native; every stage depends on its folder.
NUMERICS_FILE = Path("stages/support/numerics.txt")


def _is_integer(_, value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_, value):
    return _is_integer(_, value) or (isinstance(value, float) and math.isfinite(value))


# JSON Schema accepts 5.0 as an integer and NaN as a number within any bounds.
VALIDATOR = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def find_faults(params, schema):
    """List the faults of parameters as text with key, value and allowed range."""
    faults = []
    for error in sorted(VALIDATOR(schema).iter_errors(params), key=str):
        key = error.json_path.removeprefix("$.").removeprefix("$")
        reason = error.schema.get("description")
        suffix = f" ({reason})" if reason else ""
        faults.append(f"{key + ': ' if key else ''}{error.message}{suffix}")
    return faults


def read_yaml(path):
    """Read a file of YAML 1.2, in which 1e-9 is a number."""
    try:
        return YAML(typ="safe").load(Path(path))
    except YAMLError as error:
        raise BadInput(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def check_params(params):
    """Check the parameters of all stages, so that the first stage refuses a fault of the last."""
    faults = find_faults(params, json.loads(Path("params.schema.json").read_text()))
    if faults:
        raise BadInput(f"params.yaml: {'; '.join(faults)} (allowed: params.schema.json)")


def check_numerics():
    """Refuse other numerics than the last make repro had: DVC would mix the bits of both."""
    recorded = NUMERICS_FILE.read_text().strip() if NUMERICS_FILE.exists() else NUMERICS[0]
    if (own := read_numerics()) != recorded:
        raise BadInput(
            f"NUMERICS={own}, but the last make repro had {recorded}: run make repro "
            f"NUMERICS={own}, which runs all stages again"
        )


def check_classifier(stage, params):
    """Check the classifier of train_other in its stage and those before; later ones load it fitted.

    Also fills in the keys that the section need not have.
    """
    params["train_other"] = {"estimator": None, "options": None} | (params["train_other"] or {})
    order = list(read_stages())
    if order.index(stage) <= order.index("train_other"):
        check_estimator(params["train_other"])


def check_estimator(other):
    """Make the classifier that the section train_other names, if any, to refuse a wrong one.

    Importing scikit-learn takes a second.
    """
    if other and other.get("estimator"):
        from stages.support.classifiers import make_classifier

        try:
            make_classifier(**other)
        except BadInput as error:
            raise BadInput(f"params.yaml: {error}") from error


def read_stages():
    """Read the stages of all pipelines by name."""
    return {name: stage for path in PIPELINES for name, stage in read_yaml(path)["stages"].items()}


def select_params(stage, params):
    """Select the parameters that dvc.yaml declares for a stage, by section or "section.name"."""
    values = {}
    for name in read_stages()[stage].get("params", ()):
        section, _, key = name.partition(".")
        for k in [key] if key else params[section]:
            values[k if section == stage else f"{section}.{k}"] = params[section][k]
    return values


@contextmanager
def exit_with_one_line(name):
    """End the process with one line and exit code 1 on the errors that a user can correct."""
    try:
        yield
    except BadInput as error:
        sys.exit(f"{name}: {error}")
    except OSError as error:
        if error.errno is None:  # raised by a library, not by the operating system
            raise
        sys.exit(f"{name}: {error}: fix this and run the same command again")
    except MemoryError as error:
        sys.exit(f"{name}: out of memory ({error}): reduce JOBS, resize.size or the data")
    except BrokenExecutor:
        sys.exit(f"{name}: a worker process was killed, perhaps for lack of memory: reduce JOBS")


def run_stage(stage, main):
    """Run `main` with the parameters that dvc.yaml declares for `stage`; print what it returns.

    If DVC did not start the stage, a line on standard error warns that DVC has not recorded it.
    Parameters of the stage's own section are passed by name, others as "section.name". Errors end
    the process as in `exit_with_one_line`, Ctrl-C with one line and 130. An undeclared parameter is
    a `KeyError`: DVC would not rerun the stage when it changes.
    """
    with exit_with_one_line(stage):
        params = read_yaml("params.yaml")
        check_params(params)
        check_numerics()
        check_classifier(stage, params)
        print(f"{stage}: {main(select_params(stage, params))}", flush=True)
        if "DVC_STAGE" not in os.environ:  # DVC sets it for its commands
            print(
                f"{stage}: DVC did not run this and has not recorded it: dvc repro {stage} does",
                file=sys.stderr,
            )
