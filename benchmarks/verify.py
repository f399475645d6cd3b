"""Rerun every stage in a clean copy, without the run cache, and compare with dvc.lock."""

import json
import subprocess
import sys

import yaml

from benchmarks.clean_copy import ROOT, clean_copy, run

# They describe what the scorer of this machine has logged: a clean copy has no log.
OF_THE_LOG = ("snapshot", "drift", "report")


def artifacts(lock):
    """Digest of each output of a dvc.lock that photos and knobs decide, by stage and path."""
    return {
        (stage, out["path"]): out["md5"]
        for stage, entry in yaml.safe_load(lock)["stages"].items()
        for out in entry.get("outs", [])
        if stage not in OF_THE_LOG
    }


def same_figures(path, copy):
    """Whether a metrics file says the same as the committed one, digit by digit as printed."""
    committed = subprocess.run(
        ["git", "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, check=True
    )
    figures = [json.loads(text) for text in (committed.stdout, (copy / path).read_text())]
    for decision in figures:
        decision.pop("md5", None)  # of the model file, whose bits are compared on their own
    return figures[0] == figures[1]


def main():
    with clean_copy() as copy:
        expected = artifacts((copy / "dvc.lock").read_text())
        run("dvc", "repro", "--force", "--no-run-cache", cwd=copy)
        found = artifacts((copy / "dvc.lock").read_text())
        width = max(len(path) for _, path in expected)
        differing, wrong = [], []
        for (stage, path), md5 in expected.items():
            verdict = "same bits" if found.get((stage, path)) == md5 else "other bits"
            if verdict == "other bits":
                differing.append(path)
            if path.startswith("metrics/") and path.endswith(".json"):
                if not same_figures(path, copy):
                    verdict, wrong = "other figures", [*wrong, path]
                elif verdict == "other bits":
                    verdict = "other bits, same figures"
            print(f"{stage:<10} {path:<{width}} {verdict}")
    if wrong:
        sys.exit(f"verify: the figures of {', '.join(wrong)} differ from the committed ones")
    if differing:
        print(f"verify: every figure agrees; {len(differing)} files have other bits here")
    else:
        print(f"verify: all {len(expected)} artifacts have the bits of dvc.lock")


if __name__ == "__main__":
    main()
