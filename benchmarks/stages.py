"""Time and peak memory of each stage: python -m benchmarks.stages [ARCHIVE].

Without an archive or folder, 1,000 and 5,000 synthetic photos are measured; with one, 5,000 photos
derived from it. Earlier figures of the others stay. Writes benchmarks/stages.json.
"""

import re
import sys

import yaml

from benchmarks.enlarged import create_archive
from benchmarks.measure import measure_command
from flowers.base.tables import read_json, write_json
from study.repository import ROOT, clone_repository

PER_CLASS = (200, 1000)
REAL = 5000  # photos, as many as the public set has
RESULTS = ROOT / "benchmarks" / "stages.json"


def set_fetch_params(text, params):
    """Return the text of params.yaml with other values of `fetch`, each a unique key."""
    for key, value in params.items():
        text = re.sub(rf"(?m)^(  {key}:) [^#\n]*", rf"\1 {value} ", text, count=1)
    return text


def measure_stages(params):
    """Measure every stage with other parameters of `fetch`."""
    figures = {}
    with clone_repository() as clone:
        file = clone / "params.yaml"
        file.write_text(set_fetch_params(file.read_text(), params))
        stages = yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]
        for name, stage in stages.items():
            figures[name] = measure_command(stage["cmd"], clone)
            print(name, figures[name], flush=True)
    return figures


def main(source=None):
    results = read_json(RESULTS)
    if source is None:
        for per_class in PER_CLASS:
            print(f"{5 * per_class} synthetic photos")
            results[str(5 * per_class)] = measure_stages({"per_class": per_class})
    else:
        with create_archive(source, REAL) as archive:
            print(f"{REAL} photos derived from {source}")
            results["real"] = measure_stages({"source": "archive", "path": archive})
    write_json(RESULTS, results)


if __name__ == "__main__":
    main(*sys.argv[1:2])
