"""Run an experiment and compare it with HEAD: make exp NAME=mine SOURCE=photos.zip RECIPE=pixels.

RECIPE, SOURCE and SET become options of ``dvc exp run``; the last one that sets a parameter counts.
All are checked first, since DVC deletes the outputs of a stage before it runs.
"""

import argparse
import re
import shlex
import subprocess
import sys
from textwrap import shorten

from ruamel.yaml import YAML, YAMLError

from flowers.base.errors import BadInput
from flowers.base.tables import read_json
from flowers.sources.choice import check_source
from flowers.synthetic.picture import SPECIES
from scoring.registry.git import read_bytes_at, run_git
from stages.support.repro import acquire_lock, record_numerics
from stages.support.run import check_estimator
from study import compare, experiments
from study.parameters import (
    PATH,
    describe_changes,
    flatten_sections,
    merge_changes,
    parse_settings,
    read_sections,
)
from study.recipes import read_recipe
from study.repository import ENVIRONMENT

GO_BACK = "git checkout . && dvc checkout  # drops uncommitted edits"
NAME = re.compile(r"(?!.{101})\w+((\.|-+)\w+)*(?<!\.lock)")


def collect_params(source, recipe, settings):
    """Collect the parameters of the options; each is optional, and settings take precedence."""
    params = read_recipe(recipe) if recipe else {}
    params |= experiments.get_source_params(source, keep_url=True) if source else {}
    return params | parse_settings(settings or "")


def check_options(options):
    """Refuse an empty option, such as that of an unset variable of the shell."""
    for option, value in options.items():
        if value is not None and not value.strip():
            raise BadInput(f"{option}= is empty: give it a value, or leave it out")


def is_revision(name):
    """Whether git or ``make compare`` reads a name as a revision instead of an experiment."""
    try:
        run_git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except BadInput:
        return name == "workspace"
    return True


def check_name(name):
    """Refuse a name that DVC cannot use, or that of an experiment based on the same commit."""
    if name and not NAME.fullmatch(name):
        raise BadInput(f"NAME={name}: use letters and digits, with _, - or . between them")
    if name and is_revision(name):
        raise BadInput(f"NAME={name} is a branch, a tag or a commit already: choose another NAME")
    head = run_git("rev-parse", "HEAD")
    refs = run_git("for-each-ref", "--format=%(refname)", f"refs/exps/{head[:2]}/{head[2:]}/")
    if name in [ref.rpartition("/")[2] for ref in refs.splitlines()]:
        raise BadInput(
            f"the experiment {name} exists: choose another NAME, or first dvc exp remove {name}"
        )


def describe_workspace():
    """Return how params.yaml differs from HEAD, as text; empty without a difference or a HEAD."""
    try:
        committed = YAML(typ="safe").load(read_bytes_at("HEAD", str(PATH)))
    except (BadInput, YAMLError):
        return ""
    return describe_changes(flatten_sections(committed), flatten_sections(read_sections(PATH)))


def describe_names():
    """Return a hint if the photos have other classes than the flowers that study.name names."""
    classes = read_json("metrics/fetch.json")["classes"]
    if read_sections(PATH)["study"]["name"] != "flowers" or classes.keys() <= set(SPECIES):
        return ""
    return (
        f"exp: the photos show {shorten(', '.join(classes), 60)}: name your study with "
        'SET="study.name=... study.title=... study.noun=..."'
    )


def run_and_compare(command, name):
    """Run DVC, then print its results against HEAD; return the exit code of DVC."""
    # DVC inherits the lock, which then holds even if this process is killed.
    with acquire_lock() as lock:
        record_numerics()
        code = subprocess.run(command, env=ENVIRONMENT, pass_fds=[lock.fileno()]).returncode
    if code:
        print(f"exp: the run failed; back to the last commit: {GO_BACK}", file=sys.stderr)
        return code
    print(flush=True)
    subprocess.run(["dvc", "metrics", "diff"], env=ENVIRONMENT)
    try:
        print(f"\n{compare.format_report(['HEAD', 'workspace'])}")
    except BadInput as error:
        print(f"\nexp: no paired comparison with HEAD: {error}")
    if hint := describe_names():
        print(f"\n{hint}")
    print("\nThe results are in the workspace, see plots/report.html.")
    print(f"To keep them:  git add . && git commit -m {shlex.quote(name or 'experiment')}")
    print(f"To go back:    {GO_BACK}")
    return 0


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="make exp", usage="make exp NAME=mine", add_help=False)
    for option in ("NAME", "SOURCE", "RECIPE", "SET"):
        parser.add_argument(f"--{option}")
    options = parser.parse_args(arguments)
    try:
        check_options(vars(options))
        params = collect_params(options.SOURCE, options.RECIPE, options.SET)
        sections = merge_changes(params)
        check_estimator(sections["train_other"])
        check_source(sections["fetch"])
        check_name(options.NAME)
        settings = experiments.format_options(params)
    except (BadInput, OSError) as error:
        sys.exit(f"exp: {error}")
    if changes := describe_workspace():
        print(f"exp: params.yaml differs from HEAD, also in this run: {changes}")
        print(f"exp: to start from HEAD: {GO_BACK}")
    name = ["--name", options.NAME] if options.NAME else []
    command = ["dvc", "exp", "run", *name, *settings]
    print(shlex.join(command), flush=True)
    sys.exit(run_and_compare(command, options.NAME))


if __name__ == "__main__":
    main()
