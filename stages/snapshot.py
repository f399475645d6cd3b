"""Freeze the newest predictions of the served model, and bring its reference beside them.

What is served and logged changes while the pipeline does not look, so neither can be a dependency
that DVC follows. This stage alone reads them; `dvc repro` reruns it when told to (make drift).
"""

import shutil
from functools import partial

import numpy as np

from flowers.base import environment
from flowers.base.tables import atomic_write, write_json
from flowers.log.alarms import standing
from flowers.log.table import newest
from flowers.model import card
from flowers.model import folder as model_folder
from stages.support.files import show_progress
from stages.support.run import run_stage


def main(params):
    folder, log_dir = (
        model_folder.find_model_folder("models", environment.read_model_dir()),
        environment.read_log_dir(),
    )
    reference, (facts, origin) = model_folder.find_reference(folder), card.read_card(folder)
    version = origin.get("version", "untagged")
    model = {"classes": facts["classes"], "md5": facts["model"]["md5"]}
    days = partial(show_progress, desc="snapshot", unit=" days")
    rows, counted = newest(log_dir, model, params["limit"], days)
    with atomic_write("data/snapshot.npy") as target, target.open("wb") as file:
        np.save(file, rows)
    with atomic_write("data/reference.csv") as target:
        shutil.copyfile(reference, target)
    told = {"model_version": version, "md5": model["md5"]}
    told["acknowledged"], told["alarm"] = standing(log_dir, model["md5"])
    write_json("metrics/snapshot.json", told | counted)
    passed = {k: n for k, n in counted.items() if n and k not in ("predictions", "days")}
    return (
        f"{len(rows)} photos, {folder.name} {version}, {log_dir}; {passed or 'nothing passed over'}"
    )


if __name__ == "__main__":
    run_stage("snapshot", main)
