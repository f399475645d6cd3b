"""`GramSVC` with pinned and with native numerics, in turn: python -m benchmarks.numerics [SOURCE].

The photos are those of benchmarks.race; the median of three fits of each is reported. Writes
benchmarks/numerics.json.
"""

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import run_competitor
from benchmarks.race import write_pixels
from flowers.base.determinism import DETERMINISTIC_ENVIRONMENT, NUMERICS
from flowers.base.tables import write_json
from study.repository import ROOT

SIZES = (1000, 2000)
REPEATS = 3
RESULTS = ROOT / "benchmarks" / "numerics.json"
FIGURES = ("fit_s", "fit_cpu_s", "predict_cpu_ms", "accuracy")


def main(source=None):
    others = {k: v for k, v in os.environ.items() if k not in DETERMINISTIC_ENVIRONMENT}
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        write_pixels(source, Path(folder), max(SIZES))
        for n in SIZES:
            runs = {name: [] for name in NUMERICS}
            for name in REPEATS * NUMERICS:
                env = others | {"NUMERICS": name}
                arguments = ("benchmarks.race", "gram-svc", "pixels", folder, n)
                runs[name].append(run_competitor(*arguments, environment=env))
                print(name, n, runs[name][-1], flush=True)
            results[n] = {
                name: {key: median(run[key] for run in runs[name]) for key in FIGURES}
                for name in NUMERICS
            }
    load = round(os.getloadavg()[0], 1)
    write_json(RESULTS, {"cores": os.cpu_count(), "load": load, "results": results})


if __name__ == "__main__":
    main(*sys.argv[1:2])
