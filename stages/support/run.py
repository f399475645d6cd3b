"""What every stage does around its work: check the parameters, report one line, fail with one."""

import json
import math
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path

import jsonschema
from ruamel.yaml import YAML, YAMLError

from flowers.base.errors import BadInput, exit_on_interrupt

VALIDATOR = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    # JSON Schema takes 5.0 for an integer; as a number of folds or pixels it is none.
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def find_faults(params, schema):
    """Every knob that the schema refuses, as sentences that name key, value and allowed range."""
    found = []
    for error in sorted(VALIDATOR(schema).iter_errors(params), key=str):
        key = error.json_path.removeprefix("$.").removeprefix("$")
        reason = error.schema.get("description")
        because = f" ({reason})" if reason else ""
        found.append(f"{key + ': ' if key else ''}{error.message}{because}")
    return found + [
        f"{key}: {value} is not a finite number" for key, value in find_non_finite(params)
    ]


def find_non_finite(value, key=""):
    """Yield each number below a value that is none, with its key: no bound of a schema holds it."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from find_non_finite(below, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for i, below in enumerate(value):
            yield from find_non_finite(below, f"{key}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield key, value


def read_yaml(path):
    """A file of YAML 1.2, where 1e-9 is a number."""
    try:
        return YAML(typ="safe").load(Path(path))
    except YAMLError as error:
        raise BadInput(f"{path} is no YAML: {' '.join(str(error).split())}") from error


def check_params(params):
    """Refuse a bad knob of any stage before the first stage spends a minute.

    Raises
    ------
    BadInput
        Naming each bad knob.
    """
    found = find_faults(params, json.loads(Path("params.schema.json").read_text()))
    if found:
        raise BadInput(f"params.yaml: {'; '.join(found)} (allowed: params.schema.json)")


def select_params(stage, params):
    """Parameters that dvc.yaml declares for a stage, as "section" (all of it) or "section.name"."""
    values = {}
    for name in read_yaml("dvc.yaml")["stages"][stage].get("params", ()):
        section, _, key = name.partition(".")
        for k in [key] if key else params[section]:
            values[k if section == stage else f"{section}.{k}"] = params[section][k]
    return values


def run_stage(stage, main):
    """Run `main` with the parameters that dvc.yaml declares for `stage`; print what it returns.

    Parameters of the stage's own section are passed by name, others as "section.name". `BadInput`
    and errors of the operating system end the process with one line and exit code 1, Ctrl-C with
    one line and 130. An undeclared parameter is a `KeyError`: DVC would not rerun the stage when it
    changes.
    """
    try:
        params = read_yaml("params.yaml")
        check_params(params)
        print(f"{stage}: {main(select_params(stage, params))}", flush=True)
    except BadInput as error:
        sys.exit(f"{stage}: {error}")
    except OSError as error:
        if error.errno is None:  # of a library, not of the machine
            raise
        sys.exit(f"{stage}: {error}: mend that; the same command goes on from here")
    except MemoryError as error:
        sys.exit(f"{stage}: too little memory ({error}): set JOBS, resize.size or the data smaller")
    except BrokenExecutor:
        sys.exit(f"{stage}: a worker process was ended, perhaps for its memory: set JOBS lower")
    except KeyboardInterrupt:
        exit_on_interrupt(f"{stage}: interrupted; the same command goes on from here")
