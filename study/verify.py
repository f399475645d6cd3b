"""Compare every committed result with the disk, the DVC cache and a rerun: python -m study.verify.

Outputs in git are compared with the files of HEAD, outputs of DVC with the MD5 in dvc.lock of
HEAD, and dvc.lock with the one a rerun in a clean clone writes. The marked regions of README.md and
docs/ are rendered again from the files of HEAD. Each difference is one line; any difference is exit
code 1. Results that a run here cannot reproduce (real photos, timings, screenshots) are listed as
not verified, each by its name; so is the simulation of make power if it is of another candidate.
After a run with NUMERICS=native, which promises no bits, the figures of the summary are compared.
"""

import hashlib
import json
import re
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from dvc.repo import Repo

from flowers.base.determinism import DETERMINISTIC_ENVIRONMENT
from flowers.model.card import hash_file, hash_folder
from scoring.registry.git import read_bytes_at, run_git
from stages.support.run import NUMERICS_FILE
from study.repository import ENVIRONMENT, ROOT, clone_repository, run_command, run_recorded

CANDIDATE = "models/candidate"
# Pipeline file and lock file; the simulation of the drift detector may be of an earlier model.
PIPELINE = ("dvc.yaml", "dvc.lock")
POWER = ("power/dvc.yaml", "power/dvc.lock")
# Outputs that depend on the prediction log: neither git nor DVC keeps them.
MONITORING = "monitoring/"
# Where git tracks results, and what they are written in.
RESULTS = ("metrics/", "plots/", "benchmarks/", "docs/", "study/")
RESULT_FORMATS = (".csv", ".jpg", ".json", ".png", ".svg", ".txt")
RECORDED_RUN = "docs/shown/repro.txt"
SUMMARY = "metrics/summary.json"
# Accepted difference of a figure in a rerun with NUMERICS=native, in widths of the 95 % interval of
# accuracy: photos at the edge of two classes may change, far below the random error.
TOLERANCE = 0.1
STAGE_LINE = re.compile(r"[a-z_]+: ")
# Differing outputs of the rerun are copied here for inspection; git ignores it.
DIFFERING = ROOT / "differing"


@dataclass
class CommittedRun:
    """The outputs of a run as git and dvc.lock record them.

    Attributes
    ----------
    lock : dict of stage name to dict
        From (section, name) to the value in dvc.lock.
    in_git, in_dvc : dict of path to str
        MD5 of each output in dvc.lock, by where its bytes are kept.
    files : dict of path to bytes
        Outputs in git, and the lock files.
    lock_files, unverified : list of path
        Lock files, and results in git that no stage writes.
    native : bool
        Whether the run had NUMERICS=native.
    """

    lock: dict
    in_git: dict
    in_dvc: dict
    files: dict = field(default_factory=dict)
    lock_files: list = field(default_factory=list)
    unverified: list = field(default_factory=list)
    native: bool = False

    @classmethod
    def from_head(cls, root):
        """Read HEAD of the repository in `root`."""
        names = run_git("ls-tree", "-r", "-z", "--name-only", "HEAD", cwd=root).split("\0")
        pipelines = [PIPELINE, *([POWER] if POWER[1] in names else [])]
        run = cls.from_bytes([[read_bytes_at("HEAD", p, root) for p in pair] for pair in pipelines])
        run.native = str(NUMERICS_FILE) in names
        run.lock_files = [lock for _, lock in pipelines]
        committed = {*run.in_git, *run.lock_files} & set(names)
        results = [n for n in names if n.startswith(RESULTS) and n.endswith(RESULT_FORMATS)]
        run.unverified = sorted({*results} - {*run.in_git, RECORDED_RUN})
        run.files = {name: read_bytes_at("HEAD", name, root) for name in committed}
        return run

    @classmethod
    def from_bytes(cls, pipelines):
        """Parse pairs of the bytes of a pipeline file and of its lock file."""
        declared = {}
        stages = {}
        for pipeline, lock in pipelines:
            declared |= yaml.safe_load(pipeline)["stages"]
            stages |= yaml.safe_load(lock)["stages"]
        uncached = set()
        for stage in declared.values():
            for out in (o for kind in ("outs", "metrics", "plots") for o in stage.get(kind, [])):
                for path, options in out.items() if isinstance(out, dict) else ():
                    if options.get("cache") is False:
                        uncached.add(path)
        outs = {o["path"]: str(o.get("md5")) for s in stages.values() for o in s.get("outs", [])}
        outs = {path: md5 for path, md5 in outs.items() if not path.startswith(MONITORING)}
        return cls(
            lock={name: flatten_stage(stage) for name, stage in stages.items()},
            in_git={path: md5 for path, md5 in outs.items() if path in uncached},
            in_dvc={path: md5 for path, md5 in outs.items() if path not in uncached},
        )

    def has_current_power(self):
        """Whether the simulation of the drift detector is of the candidate."""
        simulated = self.lock.get("drift_power", {}).get(("deps", CANDIDATE))
        return simulated is not None and simulated == self.in_dvc.get(CANDIDATE)

    def compute_md5(self, path):
        """MD5 of a file in git."""
        return hashlib.md5(self.files[path], usedforsecurity=False).hexdigest()

    def differs(self, path, root):
        """Whether the file below `root` is missing or differs from the one in git."""
        file = Path(root) / path
        return not file.is_file() or file.read_bytes() != self.files[path]


def flatten_stage(stage):
    """Flatten an entry of dvc.lock to a dict from (section, name) to its value."""
    flat = {("cmd", "cmd"): stage.get("cmd")}
    for kind in ("deps", "outs"):
        flat |= {(kind, entry["path"]): entry.get("md5") for entry in stage.get(kind, [])}
    for file, params in stage.get("params", {}).items():
        flat |= {("params", f"{file}:{name}"): value for name, value in params.items()}
    return flat


def compute_output_md5(path):
    """MD5 as in dvc.lock of a file or a folder; None if it does not exist."""
    if path.is_dir():
        return hash_folder(path)
    return hash_file(path, "md5") if path.exists() else None


def find_damaged_objects(cache, md5):
    """Yield cached objects of an output whose bytes do not match their name.

    DVC links cached objects without checking them.
    """
    stored = cache / md5[:2] / md5[2:]
    if not stored.exists():
        return
    if hash_file(stored, "md5") != md5.removesuffix(".dir"):
        yield stored
    elif md5.endswith(".dir"):
        for entry in json.loads(stored.read_bytes()):
            part = cache / entry["md5"][:2] / entry["md5"][2:]
            if part.exists() and hash_file(part, "md5") != entry["md5"]:
                yield part


def check_git(committed):
    """Yield (path, message) where git differs from its dvc.lock, or the disk from git."""
    for path in (*committed.in_git, *committed.lock_files):
        if path not in committed.files:
            yield path, "is not in git: git add and commit it"
            continue
        md5 = committed.compute_md5(path)
        if committed.in_git.get(path) not in (None, md5):
            recorded = committed.in_git[path]
            yield path, f"in HEAD has md5 {md5}, the lock file of HEAD records {recorded}"
        if committed.differs(path, ROOT):
            yield path, f"on disk differs from HEAD: git checkout {path}, or commit it"


def check_dvc(committed):
    """Yield (path, message) where the disk or the DVC cache differs from dvc.lock."""
    with Repo(ROOT) as repo:
        cache = Path(repo.cache.local.path)
    for path, recorded in committed.in_dvc.items():
        md5 = compute_output_md5(ROOT / path)
        damaged = list(find_damaged_objects(cache, recorded))
        for stored in damaged:
            yield path, f"has a damaged copy in the cache, {stored}"
        if md5 not in (None, recorded):
            yield path, f"on disk has md5 {md5}, dvc.lock of HEAD records {recorded}"
        if damaged:
            remove = shlex.join(map(str, (path, *damaged)))
            yield path, f"is repaired by: rm -rf {remove} && dvc repro (or && dvc pull {path})"
        elif md5 not in (None, recorded):
            yield path, f"is restored by: dvc checkout --force {path}, or dvc repro"


def check_rerun(committed, clone):
    """Yield (path, message) where a rerun in a clean clone differs from HEAD."""
    pipelines = [PIPELINE, *([POWER] if committed.has_current_power() else [])]
    files = [[(clone / name).read_bytes() for name in pair] for pair in pipelines]
    rerun = CommittedRun.from_bytes(files)
    for stage in sorted(committed.lock.keys() | rerun.lock.keys()):
        if stage == "drift_power" and not committed.has_current_power():
            continue  # listed as not verified
        before = committed.lock.get(stage, {})
        after = rerun.lock.get(stage, {})
        for key in sorted(before.keys() | after.keys()):
            section, path = key
            if committed.native and (path in committed.in_git or path in committed.in_dvc):
                continue  # NUMERICS=native promises no bits; check_summary compares the figures
            if before.get(key) != after.get(key):
                values = f"{before.get(key)} in the lock of HEAD, {after.get(key)} after a rerun"
                yield path, f"({section} of {stage}) is {values}"
            if section == "outs" and path in committed.files and committed.differs(path, clone):
                figures = compare_figures(committed, clone, path)
                yield path, f"in HEAD differs from what {stage} writes{figures}"


def check_summary(committed, clone):
    """Yield (path, message) where a figure of a rerun differs by more than the tolerance."""
    before = json.loads(committed.files[SUMMARY])
    after = json.loads((clone / SUMMARY).read_text())
    tolerance = TOLERANCE * (before["svm_high"] - before["svm_low"])
    for name in sorted(before.keys() | after.keys()):
        old = before.get(name)
        new = after.get(name)
        if isinstance(old, float) and isinstance(new, float):
            agree = abs(old - new) <= tolerance * max(1, old)
        else:
            agree = old == new
        if not agree:
            yield SUMMARY, f"in HEAD has {name} {old}, after a rerun {new}"


def check_pages(clone):
    """Yield (path, message) for pages of HEAD that differ from their rendering in a clean clone."""
    run_command(sys.executable, "-m", "docs.tables", cwd=clone)
    for path in run_git("diff", "--name-only", cwd=clone).splitlines():
        yield path, "in HEAD differs from the files of its tables: make readme, and commit it"
    run_git("checkout", "--quiet", ".", cwd=clone)


def check_recorded_run(committed, clone, lines):
    """Yield (path, message) if the lines that the stages print differ from those in docs."""
    file = clone / RECORDED_RUN
    recorded = file.read_text().splitlines() if file.is_file() else []
    for line in (line for line in lines if line not in recorded):
        yield RECORDED_RUN, f"in HEAD lacks a line of the rerun (make shown): {line}"
    for line in (line for line in recorded if line not in lines):
        yield RECORDED_RUN, f"in HEAD has a line that the rerun does not print (make shown): {line}"


def list_unverified(committed):
    """List results in git that this run cannot reproduce."""
    outs = committed.lock.get("drift_power", {}) if not committed.has_current_power() else ()
    return sorted({*committed.unverified, *(path for kind, path in outs if kind == "outs")})


def compare_figures(committed, clone, path):
    """Describe whether a JSON file has the same content, the model's MD5 left out."""
    if not path.endswith(".json"):
        return ""
    try:
        contents = [json.loads(committed.files[path]), json.loads((clone / path).read_text())]
        for content in contents:
            content.pop("md5", None)  # the bits of the model file are compared on their own
    except (AttributeError, ValueError):
        return ""
    return ", the figures agree" if contents[0] == contents[1] else ", the figures differ"


def copy_differing(clone, paths):
    """Copy differing outputs of a rerun, and its dvc.lock, to `DIFFERING`."""
    shutil.rmtree(DIFFERING, ignore_errors=True)
    for path in {"dvc.lock", *paths}:
        source = clone / path
        target = DIFFERING / path
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)


def print_differences(where, differences):
    """Print each difference and return the paths."""
    paths = []
    for path, message in differences:
        print(f"{where}: {path} {message}", flush=True)
        paths.append(path)
    return paths


def rerun_pipeline(committed, clone):
    """Run every stage in a clean clone; return the line that each stage prints."""
    command = ("dvc", "repro", "--force", "--no-run-cache")
    (clone / "dvc.lock").unlink()
    lines = run_recorded(*command, cwd=clone)
    if committed.has_current_power():
        run_command(*command, "--single-item", POWER[0], cwd=clone)
    return [line for line in lines if STAGE_LINE.match(line)]


def main():
    for name in ("LOG_DIR", "MODEL_DIR", "NUMERICS"):  # the rerun has no log
        ENVIRONMENT.pop(name, None)
    committed = CommittedRun.from_head(ROOT)
    if committed.native:
        ENVIRONMENT["NUMERICS"] = "native"
        for name in DETERMINISTIC_ENVIRONMENT:
            ENVIRONMENT.pop(name, None)
    differing = print_differences("in git", check_git(committed))
    differing += print_differences("in dvc", check_dvc(committed))
    with clone_repository() as clone:
        differing += print_differences("in docs", check_pages(clone))
        lines = rerun_pipeline(committed, clone)
        rerun = print_differences("rerun", check_rerun(committed, clone))
        if committed.native:
            rerun += print_differences("rerun", check_summary(committed, clone))
        if rerun:
            copy_differing(clone, rerun)
            print(f"verify: {DIFFERING.name}/ has the outputs of the rerun")
        if not committed.native:  # the lines have figures
            differing += print_differences("in docs", check_recorded_run(committed, clone, lines))
    for path in list_unverified(committed):
        print(f"not verified: {path}: this run cannot reproduce it", flush=True)
    if paths := sorted({*differing, *rerun}):
        sys.exit(f"verify: {len(paths)} results differ from the commit: {', '.join(paths)}")
    count = len(committed.in_git) + len(committed.in_dvc)
    if committed.native:
        print(
            f"verify: the run had NUMERICS=native: all {count} outputs are as committed on disk "
            f"and in the cache; the bits of a rerun are not compared, its figures in {SUMMARY} "
            f"agree within {TOLERANCE:.0%} of the interval of accuracy"
        )
        return
    print(
        f"verify: all {count} outputs are as committed: on disk, in the cache and in a rerun; the "
        f"pages show their figures; {len(list_unverified(committed))} results are not verified"
    )


if __name__ == "__main__":
    main()
