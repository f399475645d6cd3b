"""Write the champion and its metrics as the candidate that a git tag can promote."""

from pathlib import Path

import numpy as np

from flowers.base.tables import read_csv, read_json, write_json
from flowers.evaluation import champion
from flowers.evaluation.metrics import select_model_rows
from flowers.model import dataset_card, folder, reference
from flowers.model.typicality import fit_typicality
from stages.support.files import load_split
from stages.support.run import run_stage


def main(params):
    evaluation, split = (read_json(f"metrics/{name}.json") for name in ("evaluate", "split"))
    rows = read_csv("metrics/predictions.csv")
    images = np.load("data/images.npy", mmap_mode="r")
    limits = {key: params[key] for key in ("alpha", "min_accuracy_low", "max_log_loss")}
    decision = champion.decide_promotion(evaluation, rows, split["leaked_test_photos"], **limits)
    name = decision["champion"]
    X = np.load("data/features.npy", mmap_mode="r")
    typicality = fit_typicality(X, np.flatnonzero(load_split()["train"]))
    preprocessing = {"features": params["flatten.features"], "size": params["resize.size"]}
    preprocessing |= {"codebook": "models/codebook.npz", "typicality": typicality}
    typicalities = typicality.score(X[rows["row"].astype(int)])
    sources = params["study.license"], "data/photos", "data/index.csv", "metrics"
    study = {key: params[f"study.{key}"] for key in ("name", "title", "noun")}
    write_json("metrics/dataset.json", dataset_card.build_dataset_card(study, *sources))
    card = folder.write_model_folder(
        "models/candidate",
        f"models/{name}.joblib",
        preprocessing=preprocessing,
        golden=champion.choose_golden_images(Path("data/photos"), rows, params["golden"]),
        reference=list(reference.build_reference_rows(rows, images, name, typicalities)),
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
