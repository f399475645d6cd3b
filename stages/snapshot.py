"""Freeze the newest predictions of the served model, with its reference set.

The served model and its log change outside the pipeline, so neither can be a DVC dependency. Git
and DVC ignore the outputs; `make drift` runs this stage and then `drift`.
"""

import shutil
from functools import partial

import numpy as np

from flowers.base import environment
from flowers.base.tables import atomic_write, write_json
from flowers.log.alerts import read_alert_state
from flowers.log.table import read_log
from flowers.model import card
from flowers.model import folder as model_folder
from stages.support.files import show_progress
from stages.support.run import run_stage


def main(params):
    log_dir = environment.read_log_dir()
    folder = model_folder.find_model_folder("models", environment.read_model_dir())
    metadata, provenance = card.read_card(folder)
    version = provenance.get("version", "untagged")
    model = {"classes": metadata["classes"], "md5": metadata["model"]["md5"]}
    days = partial(show_progress, desc="snapshot", unit=" days")
    rows, counts = read_log(log_dir, model, params["limit"], days)
    with atomic_write("monitoring/snapshot/predictions.npy") as target, target.open("wb") as file:
        np.save(file, rows)
    with atomic_write("monitoring/snapshot/reference.csv") as target:
        shutil.copyfile(model_folder.find_reference(folder), target)
    acknowledged, alert = read_alert_state(log_dir, model["md5"])
    figures = {"model_version": version, "md5": model["md5"]}
    figures |= {"acknowledged": acknowledged, "alert": alert}
    write_json("monitoring/snapshot/snapshot.json", figures | counts)
    skipped = {k: n for k, n in counts.items() if n and k not in ("predictions", "days")}
    details = ", ".join(f"{key} {n}" for key, n in skipped.items()) or "none skipped"
    return f"{len(rows)} predictions, {folder.name} {version}, {log_dir}; {details}"


if __name__ == "__main__":
    run_stage("snapshot", main)
