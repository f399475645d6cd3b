"""What every stage does around its work: check the parameters, report one line, fail with one."""

import json
import math
import sys
from pathlib import Path

import dvc.api
import jsonschema

from flowers.errors import INTERRUPTED, BadInput


def faults(params, schema):
    """Every knob that the schema refuses, as sentences that name key, value and allowed range."""
    found = []
    for error in sorted(jsonschema.Draft202012Validator(schema).iter_errors(params), key=str):
        key = error.json_path.removeprefix("$.").removeprefix("$")
        found.append(f"{key + ': ' if key else ''}{error.message}")
    for section, knobs in params.items():
        for key, value in knobs.items() if isinstance(knobs, dict) else ():
            if isinstance(value, float) and not math.isfinite(value):
                found.append(f"{section}.{key}: {value} is not a finite number")
    return found


def check_params():
    """Refuse a bad knob of any stage before the first stage spends a minute.

    Raises
    ------
    BadInput
        Naming each bad knob.
    """
    # Read by DVC, which knows YAML 1.2: there 1e-9 is a number.
    params = dvc.api.params_show("params.yaml")
    found = faults(params, json.loads(Path("params.schema.json").read_text()))
    if found:
        raise BadInput(f"params.yaml: {'; '.join(found)} (allowed: params.schema.json)")


def run(stage, main):
    """Run `main` with the knobs that dvc.yaml declares for `stage`; print what it returns.

    Knobs of the stage's own section go by their name, others as "section.name". A ``BadInput``
    ends the process with one line and exit code 1, Ctrl-C with one line and 130. An undeclared
    knob is a ``KeyError``: DVC would not rerun the stage when it changes.
    """
    try:
        check_params()
        declared = dvc.api.params_show(stages=stage)
        knobs = declared.pop(stage)
        for section, others in declared.items():
            knobs |= {f"{section}.{key}": value for key, value in others.items()}
        print(f"{stage}: {main(knobs)}", flush=True)
    except BadInput as error:
        sys.exit(f"{stage}: {error}")
    except KeyboardInterrupt:
        print(f"{stage}: interrupted; the same command goes on from here", file=sys.stderr)
        sys.exit(INTERRUPTED)
