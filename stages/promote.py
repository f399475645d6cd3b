"""Write the champion with its evidence as the candidate that a git tag may promote."""

import json
from pathlib import Path

import numpy as np

from flowers.evaluation.champion import card, champion, gate
from flowers.model_files import load
from stages._files import read_csv, read_json, whole, write_csv, write_json
from stages._reference import reference_rows
from stages._run import run

MODELS = ("svm", "nb")


def main(knobs):
    scores, split = read_json("metrics/evaluate.json"), read_json("metrics/split.json")
    rows = read_csv("metrics/predictions.csv")
    correct = {name: rows[name] == rows["label"] for name in MODELS}
    name, reasons = champion({n: scores[n] for n in MODELS}, correct, knobs["alpha"])
    checks = gate(
        *(scores[name], scores["baseline_accuracy"], split["crossing"]),
        *(knobs["min_accuracy_low"], knobs["max_log_loss"]),
    )
    decision = {
        "champion": name,
        "passed": all(check["passed"] for check in checks),
        "reasons": reasons,
        "checks": checks,
    }
    golden = golden_photos(rows, knobs["golden"])
    model = Path(f"models/{name}.joblib")
    content = model.read_bytes()
    loaded = load(model)
    images = np.load("data/images.npy", mmap_mode="r")
    reference = list(reference_rows(rows, images, name, loaded.classes_))
    facts = card(content, loaded, knobs["flatten.features"], knobs["resize.size"], golden)
    with whole("models/candidate") as folder:
        (folder / "golden").mkdir(parents=True)
        for file, photo in golden.items():
            (folder / "golden" / file).write_bytes(photo)
        (folder / "model.joblib").write_bytes(content)
        evidence = {"metrics": scores[name], "split": split, "decision": decision}
        write_csv(folder / "reference.csv", reference, tuple(reference[0]))
        (folder / "card.json").write_text(json.dumps(facts | evidence, indent=2) + "\n")
    write_json("metrics/promotion.json", decision | {"md5": facts["model"]["md5"]})
    failed = [check["check"] for check in checks if not check["passed"]]
    return f"{name} is the candidate; " + (f"gate failed: {failed}" if failed else "gate passed")


def golden_photos(rows, count):
    """Test photos with each class in its turn, by a name that tells row and class."""
    rank = np.zeros(len(rows["label"]), dtype=int)
    for label in np.unique(rows["label"]):
        same = rows["label"] == label
        rank[same] = np.arange(same.sum())
    chosen = np.lexsort((rows["label"], rank))[:count]
    paths = [Path("data/photos") / rows["path"][i] for i in chosen]
    return {
        f"{rows['row'][i]}-{path.parent.name}{path.suffix}": path.read_bytes()
        for i, path in zip(chosen, paths, strict=True)
    }


if __name__ == "__main__":
    run("promote", main)
