"""Time and peak memory of each stage: python -m benchmarks.stages [ARCHIVE [RECIPE]].

Without an archive or folder, the default run is measured; with one, 5,000 photos derived from it,
with a recipe of recipes/. Earlier figures of the others stay. Writes benchmarks/stages.json.
"""

import sys

import yaml

from benchmarks.enlarged import create_archive
from benchmarks.measure import measure_command
from flowers.base.tables import read_json, write_json
from study.parameters import replace_values
from study.recipes import read_recipe
from study.repository import ROOT, clone_repository

REAL = 5000  # photos, as many as the public set has
RESULTS = ROOT / "benchmarks" / "stages.json"


def measure_stages(params):
    """Measure every stage with changed parameters."""
    figures = {}
    with clone_repository() as clone:
        file = clone / "params.yaml"
        file.write_text(replace_values(file.read_text(), params))
        stages = yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]
        for name, stage in stages.items():
            figures[name] = measure_command(stage["cmd"], clone)
            print(name, figures[name], flush=True)
    return figures


def main(source=None, recipe="fisher-small"):
    results = read_json(RESULTS)
    if source is None:
        results["default"] = measure_stages({})
    else:
        with create_archive(source, REAL) as archive:
            print(f"{REAL} photos derived from {source}, {recipe}")
            photos = {"fetch.source": "archive", "fetch.path": str(archive)}
            results[recipe] = measure_stages(read_recipe(recipe) | photos)
    write_json(RESULTS, results)


if __name__ == "__main__":
    main(*sys.argv[1:3])
