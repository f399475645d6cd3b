"""Write the champion and its metrics as the candidate that a git tag can promote."""

from pathlib import Path

import numpy as np

from flowers.base.tables import read_csv, read_json, write_json
from flowers.evaluation import champion
from flowers.evaluation.metrics import select_model_rows
from flowers.model import dataset_card, folder, reference, typicality
from stages.support.run import run_stage


def main(params):
    evaluation, split = (read_json(f"metrics/{name}.json") for name in ("evaluate", "split"))
    rows = read_csv("metrics/predictions.csv")
    X, images = (np.load(f"data/{name}.npy", mmap_mode="r") for name in ("features", "images"))
    limits = {"alpha": params["alpha"], "min_accuracy_low": params["min_accuracy_low"]}
    limits["max_log_loss"] = params["max_log_loss"]
    decision = champion.decide_promotion(evaluation, rows, split["leaked_test_photos"], **limits)
    name = decision["champion"]
    score = typicality.fit_typicality(X, read_csv("data/split.csv")["part"] == "train")
    preprocessing = {"features": params["flatten.features"], "size": params["resize.size"]}
    preprocessing |= {"codebook": "models/codebook.npz", "typicality": score}
    study = {"name": params["study.name"], "title": params["study.title"]}
    study["noun"] = params["study.noun"]
    source = (params["study.license"], "data/photos", "data/index.csv", "metrics")
    write_json("metrics/dataset.json", dataset_card.build_dataset_card(study, *source))
    card = folder.write_model_folder(
        "models/candidate",
        f"models/{name}.joblib",
        preprocessing=preprocessing,
        golden=champion.choose_golden_images(Path("data/photos"), rows, params["golden"]),
        reference=list(reference.build_reference_rows(rows, images, name, X, score)),
        run_summary={
            "study": study,
            "license": params["study.license"],
            "metrics": {"distinct": evaluation["distinct"]} | evaluation[name],
            "per_class": select_model_rows(read_csv("metrics/per_class.csv", escaped=True), name),
            "split": split,
            "decision": decision,
        },
    )
    write_json("metrics/promotion.json", decision | {"md5": card["model"]["md5"]})
    return champion.describe_decision(decision)


if __name__ == "__main__":
    run_stage("promote", main)
