"""Runs side by side on the same test photos: python -m study.compare RUN RUN [RUN ...].

A run is an experiment, a tag, a commit or "workspace"; RUN:MODEL takes one of its models.
"""

import argparse
import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from flowers.base.errors import BadInput
from flowers.evaluation.comparison import compare_runs, list_models

PREDICTIONS, SUMMARY = "metrics/predictions.csv", "metrics/summary.json"
RESAMPLES, SEED, ALPHA = 10_000, 0, 0.05
HEADER = ("photos", "accuracy", "difference (95 %)", "right alone", "p")
ROW = "  {:>6}  {:>8}  {:>25}  {:>11}  {:>9}"


def git(*arguments):
    """What a git command prints; nothing if it fails."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True).stdout.strip()


def commit_of(run):
    """The commit that a run is, be it an experiment, a tag or a commit."""
    if found := git("rev-parse", "--verify", "--quiet", f"{run}^{{commit}}"):
        return found
    head = git("rev-parse", "HEAD")
    refs = git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{run}").splitlines()
    here = [ref for ref in refs if ref == f"refs/exps/{head[:2]}/{head[2:]}/{run}"] or refs
    if not here:
        raise BadInput(
            f"{run} is no experiment, tag or commit: dvc exp list --all and git tag name them"
        )
    if len(here) > 1:
        raise BadInput(f"several experiments are named {run}: say which, as {' or '.join(here)}")
    return git("rev-parse", here[0])


def text_at(run, path):
    """The text of a file in the working tree or at a revision."""
    if run == "workspace":
        if not Path(path).is_file():
            raise BadInput(f"{path} is missing: run dvc repro")
        return Path(path).read_text(encoding="utf-8")
    shown = subprocess.run(["git", "show", f"{commit_of(run)}:./{path}"], capture_output=True)
    if shown.returncode:
        raise BadInput(f"{run} has no {path}: it is no finished run of this pipeline")
    return shown.stdout.decode()


def predictions(run):
    """The columns of a run's table of predictions."""
    header, *rows = csv.reader(io.StringIO(text_at(run, PREDICTIONS)))
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    table = {name: np.array(column) for name, column in zip(header, columns, strict=True)}
    if not {"sha256", "label", "group"} <= table.keys() or not list_models(table):
        raise BadInput(f"{PREDICTIONS} of {run} has no sha256, label, group and answers")
    return table


def leak(run):
    """Share of a run's test photos with a twin in train; None where it is not told."""
    try:
        return json.loads(text_at(run, SUMMARY))["leakage"]
    except (BadInput, KeyError, ValueError):
        return None


def block(model, names, tables):
    """One model: a line for the first run, and one for each other against it."""
    first, *others = names
    base = tables[first]
    yield ROW.format(*HEADER)
    yield ROW.format(len(base["label"]), f"{np.mean(base[model] == base['label']):.4f}", "", "", "")
    for name in others:
        run, _, theirs = name.partition(":")
        theirs = theirs or model
        known = list_models(tables[name])
        if theirs not in known:
            yield f"  has no {theirs}: name one of its models, as {run}:{known[0]}"
            continue
        told = compare_runs(base, tables[name], (model, theirs), RESAMPLES, SEED)
        gain = f"{told['difference']:+.3f} ({told['low']:+.3f} to {told['high']:+.3f})"
        alone = f"{told['only_second_correct']} : {told['only_first_correct']}"
        cells = told["photos"], f"{told['accuracy'][1]:.4f}", gain, alone, f"{told['p_value']:.3g}"
        yield ROW.format(*cells)


def notes(names, tables):
    """What a reader has to know to believe the lines above."""
    yield f"Each run is set against {names[0]} on the test photos that both have."
    yield "right alone: photos that only this run : only the first one answers right"
    yield f"p: exact McNemar test; above {ALPHA} the two are not told apart"
    for name in names:
        if leaks := leak(name.partition(":")[0]):
            yield f"{name}: {leaks:.0%} of its test photos have a twin in train: it has seen them"


def report(names):
    """The comparison as text."""
    tables = {name: predictions(name.partition(":")[0]) for name in names}
    first = names[0]
    model = first.partition(":")[2]
    if model and model not in list_models(tables[first]):
        raise BadInput(f"{first}: the run has the models {', '.join(list_models(tables[first]))}")
    width = max(map(len, names))
    lines = []
    for each in [model] if model else list_models(tables[first]):
        margin = [each, *names]
        for left, line in zip(margin, block(each, names, tables), strict=True):
            lines.append(f"{left:<{width}}{line}".rstrip())
        lines.append("")
    return "\n".join([*lines, *notes(names, tables)])


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m study.compare", description=__doc__.splitlines()[0]
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="experiment, tag, commit, workspace")
    names = list(dict.fromkeys(parser.parse_args(arguments).runs))
    if len(names) < 2:
        parser.error("name at least two runs, such as HEAD and an experiment")
    try:
        print(report(names))
    except BadInput as error:
        sys.exit(f"compare: {error}")


if __name__ == "__main__":
    main()
