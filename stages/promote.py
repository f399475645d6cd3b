"""Write the champion and its metrics as the candidate that a git tag can promote."""

from pathlib import Path

import numpy as np

from flowers.base.tables import read_csv, read_json, write_json
from flowers.evaluation.champion import choose_golden_images, decide_promotion
from flowers.evaluation.metrics import select_model_rows
from flowers.model.folder import write_model_folder
from flowers.model.reference import build_reference_rows
from stages.support.run import run_stage


def main(params):
    evaluation = read_json("metrics/evaluate.json")
    split = read_json("metrics/split.json")
    rows = read_csv("metrics/predictions.csv")
    images = np.load("data/images.npy", mmap_mode="r")
    limits = {"alpha": params["alpha"], "min_accuracy_low": params["min_accuracy_low"]}
    limits["max_log_loss"] = params["max_log_loss"]
    decision = decide_promotion(evaluation, rows, split["leaked_test_photos"], **limits)
    name = decision["champion"]
    preprocessing = {"features": params["flatten.features"], "size": params["resize.size"]}
    preprocessing["codebook"] = "models/codebook.npz"
    study = {"name": params["study.name"], "title": params["study.title"]}
    study["noun"] = params["study.noun"]
    card = write_model_folder(
        "models/candidate",
        f"models/{name}.joblib",
        preprocessing=preprocessing,
        golden=choose_golden_images(Path("data/photos"), rows, params["golden"]),
        reference=list(build_reference_rows(rows, images, name)),
        run_summary={
            "study": study,
            "metrics": {"distinct": evaluation["distinct"]} | evaluation[name],
            "per_class": select_model_rows(read_csv("metrics/per_class.csv", escaped=True), name),
            "split": split,
            "decision": decision,
        },
    )
    write_json("metrics/promotion.json", decision | {"md5": card["model"]["md5"]})
    failed = [check["check"] for check in decision["checks"] if not check["passed"]]
    gate = f"gate failed: {'; '.join(failed)}" if failed else "gate passed"
    return f"{name} is the candidate; {gate}"


if __name__ == "__main__":
    run_stage("promote", main)
