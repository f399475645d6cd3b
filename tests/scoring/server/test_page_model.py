"""What the page says of the model: which flowers it knows, and how far to trust it."""

import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from flowers.model.folder import load_predictor
from study.page_examples import FOLDER, SEEDS, draw_example
from tests.browser import needs_browser, playwright, upload_photos
from tests.scoring.server.service import promoted, running, write_model

expect = playwright.expect
pytestmark = needs_browser


@pytest.mark.slow
def test_a_promoted_model_is_shown_by_its_version(visit, place, photo):
    folder = place / "models" / "production"
    shutil.copytree(place / "models" / "candidate", folder)
    promoted(folder, version="v1.2.0")
    with running(place) as service:
        page = visit(port=service.port)
        expect(page.locator(".kind")).to_have_count(5)
        expect(page.locator("#untagged")).to_be_hidden()
        card = upload_photos(page, a=photo)
        assert card.locator(".model").inner_text() == "Model v1.2.0, production"


def test_an_untagged_model_is_said_to_be_on_trial_before_the_first_photo(visit):
    expect(visit().get_by_text("This model is on trial")).to_be_visible()


def test_the_flowers_it_knows_are_shown_until_the_first_photo(visit, photo, classes):
    page = visit()
    kinds = page.locator(".kind")
    expect(kinds).to_have_text(classes)
    expect(page.get_by_text("It knows these 5 flowers:")).to_be_visible()
    drawn = page.locator(".kind img")
    drawn.last.scroll_into_view_if_needed()
    assert drawn.evaluate_all("all => all.map((one) => one.naturalWidth)") == [192] * 5
    upload_photos(page, a=photo)
    expect(kinds.first).to_be_hidden()


def test_a_model_of_other_classes_is_an_image_classifier(visit, place, photos):
    model = load_predictor(place / "models/candidate").estimator
    renamed = {"Lilly": "Rose", "Lotus": "Iris"}
    names = [renamed.get(name, name) for name in model.classes_]
    model.classes_ = np.array(names)
    write_model(place / "models/candidate", model, dict(list(photos.items())[::4]))
    with running(place) as other:
        page = visit(port=other.port)
        expect(page.locator(".kind")).to_have_text(names)
        expect(page.locator(".kind img")).to_have_count(3)
        expect(page).to_have_title("Image classifier")
        expect(page.locator("h1")).to_have_text("Image classifier")
        expect(page.get_by_text("It knows these 5 classes:")).to_be_visible()
        card = upload_photos(page, a=next(iter(photos.values())))
        expect(card.locator("legend")).to_contain_text("Choose the class")


@pytest.mark.slow
def test_below_the_threshold_of_its_card_a_prediction_is_not_confident(visit, place, photo):
    card = place / "models/candidate/card.json"
    members = json.loads(card.read_text())
    card.write_text(json.dumps(members | {"metrics": {"confidence_threshold": 1.0}}))
    with running(place) as unsure:
        (prediction,) = unsure.predict(("a.jpg", photo)).json["predictions"]
        assert prediction["confident"] is False
        page = visit(port=unsure.port)
        shown = upload_photos(page, a=photo)
        words = f"Not sure. Perhaps {prediction['label']}"
        expect(shown.locator(".verdict")).to_contain_text(words)
        expect(shown.locator(".doubt")).to_be_visible()
        expect(page.get_by_role("status").first).to_contain_text("not sure")


def test_the_preview_shows_the_whole_of_a_tall_photo(visit):
    tall = Image.new("RGB", (120, 480), "white")
    tall.paste("red", (0, 0, 120, 40))
    tall.paste("blue", (0, 440, 120, 480))
    out = io.BytesIO()
    tall.save(out, "PNG")
    card = upload_photos(visit(), tall=out.getvalue())
    with Image.open(io.BytesIO(card.locator(".photo").screenshot())) as shown:
        shares = np.asarray(shown.convert("RGB")).reshape(-1, 3).astype(int)
    red = (shares[:, 0] > 200) & (shares[:, 1:].max(axis=1) < 60)
    blue = (shares[:, 2] > 200) & (shares[:, :2].max(axis=1) < 60)
    assert red.sum() > 100 and blue.sum() > 100


def test_the_title_says_what_happened(visit, service, photo):
    page = visit()
    expect(page).to_have_title("Which flower is it?")
    upload_photos(page, a=photo)
    label = service.predict(("a.jpg", photo)).json["predictions"][0]["label"]
    expect(page).to_have_title(re.compile(f"a.jpg: {label}, .* likely. Which flower is it"))


@pytest.mark.parametrize("species", SEEDS)
def test_the_examples_are_drawn_by_the_generator(species):
    with Image.open(FOLDER / f"{species}.webp") as stored:
        difference = np.asarray(stored.convert("RGB")).astype(int) - np.asarray(
            draw_example(species)
        )
    assert np.abs(difference).mean() < 6  # of 255; what the compression changes
