"""Is every output what the commit holds? First on disk and in the cache, then in a run anew.

Outputs that git keeps are compared with the files of HEAD, those that DVC keeps with the digests of
the dvc.lock of HEAD, and that dvc.lock with the one that a clean copy writes. Each difference is a
line; one is enough for exit code 1.
"""

import json
import shlex
import shutil
import sys

from study.committed_run import Held, cache_of, damaged_objects, digest
from study.repository import ROOT, clone_repository, run_command

# They describe what the scorer of this machine has logged: a clean copy has no log.
OF_THE_LOG = ("snapshot", "drift", "report")
# Outputs of the clean copy that differ are kept here to look at; git ignores it.
KEPT = ROOT / "differing"


def of_git(held):
    """What in git differs from the dvc.lock beside it, or on disk from git."""
    for path in (*held.in_git, "dvc.lock"):
        if path not in held.files:
            yield path, "is not in git: git add and commit it"
            continue
        stated = held.in_git.get(path)
        if stated not in (None, held.md5(path)):
            yield path, f"in HEAD has md5 {held.md5(path)}, dvc.lock of HEAD says {stated}"
        if held.differs(path, ROOT):
            yield path, f"on disk differs from HEAD: git checkout {path}, or commit it"


def of_dvc(held):
    """What on disk or in the cache of DVC is not what dvc.lock says."""
    cache = cache_of(ROOT)
    for path, stated in held.in_dvc.items():
        found = digest(ROOT / path)
        damaged = list(damaged_objects(cache, stated))
        for place in damaged:
            yield path, f"has a damaged copy in the cache, {place}"
        if found not in (None, stated):
            yield path, f"on disk has md5 {found}, dvc.lock of HEAD says {stated}"
        if damaged:
            remove = shlex.join(map(str, (path, *damaged)))
            yield path, f"is healed by: rm -rf {remove} && dvc repro (or && dvc pull {path})"
        elif found not in (None, stated):
            yield path, f"comes back with: dvc checkout --force {path}, or dvc repro"


def of_a_run(held, copy):
    """What a run in a clean copy makes that is not what HEAD holds."""
    made = Held.on_disk(copy)
    for stage in sorted(held.lock.keys() | made.lock.keys()):
        if stage in OF_THE_LOG and not held.log_is_empty():
            print(f"anew: {stage} is of a log that a clean copy has not: not compared")
            continue
        ours, theirs = held.lock.get(stage, {}), made.lock.get(stage, {})
        for what in sorted(ours.keys() | theirs.keys()):
            section, path = what
            if ours.get(what) != theirs.get(what):
                said = f"{ours.get(what)} in dvc.lock of HEAD, {theirs.get(what)} after a run"
                yield path, f"({section} of {stage}) is {said}"
            if section == "outs" and path in held.files and held.differs(path, copy):
                yield path, f"in HEAD is not what {stage} writes{figures(held, copy, path)}"


def figures(held, copy, path):
    """Whether a metrics file says the same as the committed one, digit by digit as printed."""
    if not path.endswith(".json"):
        return ""
    try:
        both = [json.loads(held.files[path]), json.loads((copy / path).read_text())]
        for found in both:
            found.pop("md5", None)  # of the model file, whose bits are compared on their own
    except (AttributeError, ValueError):
        return ""
    return ", the figures agree" if both[0] == both[1] else ", the figures differ"


def keep(copy, paths):
    """Copy what a clean copy made and HEAD does not hold to where it can be looked at."""
    shutil.rmtree(KEPT, ignore_errors=True)
    for path in {"dvc.lock", *paths}:
        made, kept = copy / path, KEPT / path
        if made.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if made.is_dir() else shutil.copy2)(made, kept)


def main():
    held = Held.of_head(ROOT)
    found = [*report("in git", of_git(held)), *report("in dvc", of_dvc(held))]
    with clone_repository() as copy:
        (copy / "dvc.lock").unlink()
        run_command("dvc", "repro", "--force", "--no-run-cache", cwd=copy)
        again = report("anew", of_a_run(held, copy))
        if again:
            keep(copy, again)
    differing = sorted({*found, *again})
    if again:
        print(f"verify: {KEPT.name}/ has what the run made instead")
    if differing:
        names = ", ".join(differing)
        sys.exit(f"verify: {len(differing)} are not as committed: {names}")
    count = len(held.in_git) + len(held.in_dvc)
    print(f"verify: all {count} outputs are as committed, on disk, in the cache and in a run anew")


def report(where, findings):
    """Print each finding; give the paths."""
    paths = []
    for path, said in findings:
        print(f"{where}: {path} {said}", flush=True)
        paths.append(path)
    return paths


if __name__ == "__main__":
    main()
