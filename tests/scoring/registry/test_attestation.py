"""What fetch writes beside a model folder, and who compares it."""

import shutil
from pathlib import Path

import pytest

from flowers.base.errors import BadInput
from flowers.model import folder as model_folder
from flowers.model.card import get_attestation_path, hash_folder
from scoring.registry import fetch
from scoring.registry.__main__ import main
from tests.scoring.registry.registry_repository import switch


@pytest.mark.slow
def test_a_fetched_folder_is_loaded_by_the_digest_of_its_tag_and_no_other_is(both):
    production = Path("models/production")
    switch("svm")
    assert main(["promote"]) == 0
    assert main(["fetch"]) == 0
    assert model_folder.load_predictor(production).version == "v1.0.0"
    assert hash_folder(production) == fetch.read_lock_md5(Path("dvc.lock").read_text())

    # A lost digest is written again.
    get_attestation_path(production).unlink()
    with pytest.raises(BadInput, match="fetch"):
        model_folder.load_predictor(production)
    assert main(["fetch"]) == 0
    assert model_folder.load_predictor(production).version == "v1.0.0"

    # The folder of another version is not this one's, whatever its origin says.
    shutil.copytree(production, "kept")
    switch("nb")
    assert main(["promote"]) == 0
    assert main(["fetch"]) == 0
    assert model_folder.load_predictor(production).version != "v1.0.0"
    shutil.rmtree(production)
    shutil.copytree("kept", production)
    with pytest.raises(BadInput, match="digest"):
        model_folder.load_predictor(production)
