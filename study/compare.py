"""Compare runs on the same test photos: python -m study.compare RUN RUN [RUN ...].

A run is an experiment, a tag, a commit or "workspace"; RUN:MODEL selects one of its models.
"""

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np

from flowers.base.errors import BadInput
from flowers.base.tables import format_share, parse_csv
from flowers.evaluation.comparison import compare_runs, list_models
from scoring.output import run_command
from scoring.registry.git import read_bytes_at, run_git

PREDICTIONS = "metrics/predictions.csv"
SUMMARY = "metrics/summary.json"
RESAMPLES = 10_000
SEED = 0
ALPHA = 0.05
HEADER = ("photos", "accuracy", "difference (95 %)", "only correct", "p")
ROW = "  {:>6}  {:>8}  {:>25}  {:>12}  {:>9}"


def find_commit(run):
    """Return the commit of an experiment, a tag or a commit."""
    with contextlib.suppress(BadInput):
        return run_git("rev-parse", "--verify", "--quiet", f"{run}^{{commit}}")
    head = run_git("rev-parse", "HEAD")
    refs = run_git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{run}").splitlines()
    on_head = f"refs/exps/{head[:2]}/{head[2:]}/{run}"
    if on_head in refs:
        refs = [on_head]
    if not refs:
        raise BadInput(
            f"{run} is no experiment, tag or commit: dvc exp list --all and git tag list them"
        )
    if len(refs) > 1:
        raise BadInput(f"several experiments are named {run}: name one of {', '.join(refs)}")
    return run_git("rev-parse", refs[0])


def read_text(run, path):
    """Read a file of the working tree or of a revision."""
    if run == "workspace":
        if not Path(path).is_file():
            raise BadInput(f"{path} is missing: run dvc repro")
        return Path(path).read_text(encoding="utf-8")
    commit = find_commit(run)
    try:
        return read_bytes_at(commit, path).decode()
    except BadInput as error:
        raise BadInput(f"{run}: {error}") from error


def read_predictions(run):
    """Read the columns of a run's predictions."""
    table = parse_csv(io.StringIO(read_text(run, PREDICTIONS)))
    if not {"sha256", "label", "group"} <= table.keys() or not list_models(table):
        raise BadInput(f"{PREDICTIONS} of {run} lacks sha256, label, group or predictions")
    return table


def format_comparison(model, names, tables):
    """Yield the lines of one model: a header, the first run, and each other run against it."""
    first, *others = names
    base = tables[first]
    accuracy = np.mean(base[model] == base["label"])
    yield ROW.format(*HEADER)
    yield ROW.format(len(base["label"]), format_share(accuracy), "", "", "")
    for name in others:
        run, _, other = name.partition(":")
        other = other or model
        models = list_models(tables[name])
        if other not in models:
            yield f"  has no {other}: name one of its models, as {run}:{models[0]}"
            continue
        result = compare_runs(base, tables[name], (model, other), RESAMPLES, SEED)
        yield ROW.format(
            result["photos"],
            format_share(result["accuracy"][1]),
            f"{result['difference']:+.3f} ({result['low']:+.3f} to {result['high']:+.3f})",
            f"{result['only_second_correct']} : {result['only_first_correct']}",
            f"{result['p_value']:.3g}",
        )


def format_notes(names):
    """Yield the lines that explain the table."""
    yield f"Each run is compared with {names[0]} on the test photos of both."
    yield "only correct: photos that only this run : only the first run classifies correctly"
    yield f"p: exact McNemar test; above {ALPHA} the difference is not significant"
    for name in names:
        with contextlib.suppress(BadInput, KeyError, ValueError):  # not recorded
            if share := json.loads(read_text(name.partition(":")[0], SUMMARY))["leakage"]:
                yield f"{name}: leakage, {share:.0%} of test photos have a near-duplicate in train"


def format_report(names):
    """Return the comparison as text."""
    tables = {name: read_predictions(name.partition(":")[0]) for name in names}
    first = names[0]
    model = first.partition(":")[2]
    models = list_models(tables[first])
    if model and model not in models:
        raise BadInput(f"{first}: the run has the models {', '.join(models)}")
    width = max(map(len, names))
    lines = []
    for name in [model] if model else models:
        margin = [name, *names]
        for left, line in zip(margin, format_comparison(name, names, tables), strict=True):
            lines.append(f"{left:<{width}}{line}".rstrip())
        lines.append("")
    return "\n".join([*lines, *format_notes(names)])


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m study.compare", description=__doc__.splitlines()[0]
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="experiment, tag, commit, workspace")
    names = list(dict.fromkeys(parser.parse_args(arguments).runs))
    if len(names) < 2:
        parser.error("name at least two runs, such as HEAD and an experiment")
    try:
        print(format_report(names))
    except BadInput as error:
        sys.exit(f"compare: {error}")


if __name__ == "__main__":
    sys.exit(run_command("compare", main))
