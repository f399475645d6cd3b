"""What every stage does around its work: check the parameters, report one line, fail with one."""

import json
import math
import sys
from pathlib import Path

import jsonschema
from ruamel.yaml import YAML, YAMLError

from flowers.errors import BadInput, leave


def faults(params, schema):
    """Every knob that the schema refuses, as sentences that name key, value and allowed range."""
    found = []
    for error in sorted(jsonschema.Draft202012Validator(schema).iter_errors(params), key=str):
        key = error.json_path.removeprefix("$.").removeprefix("$")
        reason = error.schema.get("description")
        because = f" ({reason})" if reason else ""
        found.append(f"{key + ': ' if key else ''}{error.message}{because}")
    for section, knobs in params.items() if isinstance(params, dict) else ():
        for key, value in knobs.items() if isinstance(knobs, dict) else ():
            if isinstance(value, float) and not math.isfinite(value):
                found.append(f"{section}.{key}: {value} is not a finite number")
    return found


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
    found = faults(params, json.loads(Path("params.schema.json").read_text()))
    if found:
        raise BadInput(f"params.yaml: {'; '.join(found)} (allowed: params.schema.json)")


def declared(stage, params):
    """The knobs that dvc.yaml names for a stage: "section" for all of it, or "section.name"."""
    knobs = {}
    for name in read_yaml("dvc.yaml")["stages"][stage].get("params", ()):
        section, _, key = name.partition(".")
        for k in [key] if key else params[section]:
            knobs[k if section == stage else f"{section}.{k}"] = params[section][k]
    return knobs


def run(stage, main):
    """Run `main` with the knobs that dvc.yaml declares for `stage`; print what it returns.

    Knobs of the stage's own section go by their name, others as "section.name". A ``BadInput``
    ends the process with one line and exit code 1, Ctrl-C with one line and 130. An undeclared
    knob is a ``KeyError``: DVC would not rerun the stage when it changes.
    """
    try:
        params = read_yaml("params.yaml")
        check_params(params)
        print(f"{stage}: {main(declared(stage, params))}", flush=True)
    except BadInput as error:
        sys.exit(f"{stage}: {error}")
    except KeyboardInterrupt:
        leave(f"{stage}: interrupted; the same command goes on from here")
