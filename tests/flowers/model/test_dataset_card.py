"""The description of the data set in the Croissant format."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from flowers.base.tables import write_csv
from flowers.model.dataset_card import build_dataset_card

STUDY = {"name": "bolts", "title": "Which <part>: is it?", "noun": "part"}
LABELS = ["螺丝", "a, b", "---", "{x}"]
needs_mlcroissant = pytest.mark.skipif(
    find_spec("mlcroissant") is None,
    reason="the description is validated with the package mlcroissant: pip install mlcroissant",
)


def write_description(folder, count=8, license="CC-BY-4.0"):
    rows = [
        {"row": i, "label": label, "path": f"{label}/{i}.jpg", "sha256": f"{i:064x}"}
        | {"width": 30 + i, "height": 20}
        for i, label in enumerate(LABELS * (count // len(LABELS)))
    ]
    write_csv(folder / "data/index.csv", rows)
    files = (folder / "data/photos", folder / "data/index.csv", folder / "metrics")
    text = json.dumps(build_dataset_card(STUDY, license, *files), indent=2)
    (folder / "metrics").mkdir(exist_ok=True)
    (folder / "metrics/dataset.json").write_text(text)
    return text


def test_the_description_has_the_same_bytes_for_the_same_index_and_stays_small(tmp_path):
    text = write_description(tmp_path)
    assert write_description(tmp_path) == text
    assert len(write_description(tmp_path, 50_000)) < len(text) + 100 < 10_000


@needs_mlcroissant
@pytest.mark.slow
def test_mlcroissant_accepts_the_description_and_reads_its_images(tmp_path):
    write_description(tmp_path)
    code = """
import mlcroissant
dataset = mlcroissant.Dataset("metrics/dataset.json")
assert not dataset.metadata.issues.errors
print(len(list(dataset.records("images"))), len(list(dataset.records("classes"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.split() == ["8", "4"], done.stderr
