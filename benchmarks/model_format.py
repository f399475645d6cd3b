"""joblib against skops as the form of a model file: python -m benchmarks.model_format.

Needs ``pip install skops``, which is no dependency. Writes model_format.json.
"""

import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.clean_copy import ROOT
from flowers.learning import persistence

MODEL = ROOT / "models" / "candidate" / "model.joblib"
RESULTS = ROOT / "benchmarks" / "model_format.json"
IMPORTS = {"joblib": "", "skops": "import skops.io"}


def seconds(function, *arguments, **options):
    """The best of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        function(*arguments, **options)
        times.append(time.process_time() - start)
    return round(min(times), 2)


def start(extra):
    """Seconds of the processor that a process needs to import what loads a model."""
    code = f"import scoring, flowers.learning.persistence\n{extra}\nimport time; print(time.process_time())"
    command = [sys.executable, "-c", code]
    return min(
        float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
        for _ in range(3)
    )


def main():
    if importlib.util.find_spec("skops") is None:
        sys.exit("benchmarks.model_format needs skops: pip install skops")
    import skops.io

    model = persistence.load_model(MODEL)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.skops")
        trusted = []

        def load(path):
            return skops.io.load(path, trusted=trusted)

        dumps = {"joblib": persistence.save_model, "skops": skops.io.dump}
        loads = {"joblib": persistence.load_model, "skops": load}
        results = {}
        for name in dumps:
            file = Path(folder, f"model.{name}")
            digests = set()
            for _ in range(2):
                dumps[name](model, file)
                digests.add(hashlib.sha256(file.read_bytes()).hexdigest())
            if name == "skops":
                trusted = skops.io.get_untrusted_types(file=file)
            results[name] = {
                "mb": round(file.stat().st_size / 1e6, 1),
                "load_s": seconds(loads[name], file),
                "import_s": round(start(IMPORTS[name]), 1),
                "same_bytes_twice": len(digests) == 1,
            }
        results["types_to_trust"] = trusted
    print(json.dumps(results, indent=2))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
