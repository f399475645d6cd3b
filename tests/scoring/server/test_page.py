"""The page in a real browser, talking to the real server."""

import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
import yaml
from PIL import Image

from benchmarks.examples import FOLDER, SEEDS, example
from tests.browser import LOW_CONTRAST, PHONE, RIGHT_EDGE, launched, needs_browser, playwright
from tests.logged import records
from tests.scoring.server.service import ROOT, running

expect = playwright.expect
pytestmark = needs_browser

# How Chromium itself reports an answer that is an error, and none; the page has to say it too.
REFUSAL = re.compile(r"Failed to load resource: .*(a status of 4\d\d|ERR_INTERNET_DISCONNECTED)")
# A file that reaches the page as one of a drop or a paste does.
GIVE = """([event, name, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const init = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(event === "drop"
    ? new DragEvent("drop", { ...init, dataTransfer: transfer })
    : new ClipboardEvent("paste", { ...init, clipboardData: transfer }));
}"""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as run:
        browser = launched(run)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, service):
    """Open a path. Whatever the test does there: no other server is asked, nothing complains."""
    requests, complaints, contexts = [], [], []

    def opened(path="/", port=service.port, **options):
        origin = f"http://127.0.0.1:{port}"
        context = browser.new_context(base_url=origin, reduced_motion="reduce", **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append((origin, request.url)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [url for origin, url in requests if not url.startswith(f"{origin}/")] == []
    assert [text for text in complaints if not REFUSAL.match(text)] == []


def ask(page, **photos):
    """Choose photos by name and wait until each has its answer or error."""
    files = [
        {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": photo}
        for name, photo in photos.items()
    ]
    page.set_input_files("#photos", files)
    expect(page.locator(".card")).to_have_count(len(files))
    expect(page.locator(".waiting:visible")).to_have_count(0)
    return page.locator(".card")


def test_a_photo_gets_the_label_of_the_model_and_a_bar_per_class(visit, service, photo):
    expected = service.predict(("a.jpg", photo)).json
    card = ask(visit(), a=photo)
    assert card.locator(".label").inner_text() == expected["label"]
    assert card.locator(".confidence").inner_text() == f"{expected['confidence']:.0%} likely"
    assert card.locator(".name").all_inner_texts() == list(expected["probabilities"])
    assert card.locator(".best .name").inner_text() == expected["label"]
    widths = card.locator(".fill").evaluate_all("all => all.map((e) => parseFloat(e.style.width))")
    shares = [100 * share for share in expected["probabilities"].values()]
    assert widths == pytest.approx(shares, abs=0.01)
    assert card.locator(".model").inner_text() == "Untagged model, on trial (candidate)"
    expect(card.locator(".doubt")).to_be_hidden()
    expect(card.locator(".photo")).to_have_attribute("width", "640")


def test_a_promoted_model_is_shown_by_its_version(visit, place, photo):
    folder = place / "models" / "production"
    shutil.copytree(place / "models" / "candidate", folder)
    origin = {"version": "v1.2.0", "tag": "flowers#production#2", "commit": "0" * 40}
    (folder / "origin.json").write_text(json.dumps(origin))
    with running(place) as promoted:
        page = visit(port=promoted.port)
        expect(page.locator(".kind")).to_have_count(5)
        expect(page.locator("#untagged")).to_be_hidden()
        card = ask(page, a=photo)
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
    ask(page, a=photo)
    expect(kinds.first).to_be_hidden()


def test_classes_without_a_drawn_example_have_their_name(visit, place):
    card = place / "models/candidate/card.json"
    facts = json.loads(card.read_text())
    renamed = {"Lilly": "Rose", "Lotus": "Iris"}
    facts["classes"] = [renamed.get(name, name) for name in facts["classes"]]
    card.write_text(json.dumps(facts))
    with running(place) as other:
        page = visit(port=other.port)
        expect(page.locator(".kind")).to_have_text(facts["classes"])
        expect(page.locator(".kind img")).to_have_count(3)


def test_below_the_confidence_of_its_card_the_model_is_not_sure(visit, place, photo):
    card = place / "models/candidate/card.json"
    facts = json.loads(card.read_text())
    card.write_text(json.dumps(facts | {"metrics": {"unsure_below": 1.0}}))
    with running(place) as unsure:
        answer = unsure.predict(("a.jpg", photo)).json
        assert answer["sure"] is False
        page = visit(port=unsure.port)
        told = ask(page, a=photo)
        expect(told.locator(".verdict")).to_contain_text(f"Not sure. Perhaps {answer['label']}")
        expect(told.locator(".doubt")).to_be_visible()
        expect(page.get_by_role("status").first).to_contain_text("not sure")


def test_the_preview_shows_the_whole_of_a_tall_photo(visit):
    tall = Image.new("RGB", (120, 480), "white")
    tall.paste("red", (0, 0, 120, 40))
    tall.paste("blue", (0, 440, 120, 480))
    out = io.BytesIO()
    tall.save(out, "PNG")
    card = ask(visit(), tall=out.getvalue())
    with Image.open(io.BytesIO(card.locator(".photo").screenshot())) as shown:
        shares = np.asarray(shown.convert("RGB")).reshape(-1, 3).astype(int)
    red = (shares[:, 0] > 200) & (shares[:, 1:].max(axis=1) < 60)
    blue = (shares[:, 2] > 200) & (shares[:, :2].max(axis=1) < 60)
    assert red.sum() > 100 and blue.sum() > 100


def test_the_title_says_what_happened(visit, service, photo):
    page = visit()
    expect(page).to_have_title("Which flower is it?")
    ask(page, a=photo)
    label = service.predict(("a.jpg", photo)).json["label"]
    expect(page).to_have_title(re.compile(f"a.jpg: {label}, .* likely. Which flower is it"))


@pytest.mark.parametrize("species", SEEDS)
def test_the_examples_are_drawn_by_the_generator(species):
    with Image.open(FOLDER / f"{species}.webp") as stored:
        difference = np.asarray(stored.convert("RGB")).astype(int) - np.asarray(example(species))
    assert np.abs(difference).mean() < 6  # of 255; what the compression changes


def test_each_of_many_photos_gets_its_own_answer_in_the_order_chosen(visit, service, photos):
    chosen = {name.removesuffix(".jpg"): photo for name, photo in list(photos.items())[::3]}
    expected = [service.predict((f"{name}.jpg", photo)).json for name, photo in chosen.items()]
    page = visit()
    cards = ask(page, **chosen)
    assert cards.locator(".file").all_inner_texts() == [answer["file"] for answer in expected]
    assert cards.locator(".label").all_inner_texts() == [answer["label"] for answer in expected]
    assert len(set(cards.locator(".id").all_inner_texts())) == len(chosen)
    expect(page.get_by_role("status").first).to_have_text(f"{len(chosen)} photos answered.")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_photos_may_be_dropped_and_pasted(visit, photo, event):
    page = visit()
    page.evaluate(GIVE, [event, "given.jpg", base64.b64encode(photo).decode()])
    expect(page.locator(".label")).to_be_visible()
    expect(page.locator(".file")).to_have_text("given.jpg")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no photo at all", "has to be a JPEG, PNG or WEBP file"),
        (b"", "empty"),
        (b"\xff\xd8\xff" + bytes(3_000_000), "Choose a smaller photo"),
        (b"\xff\xd8\xff" + bytes(3_000), "Part of this photo is missing"),
    ],
)
def test_what_cannot_be_scored_is_told_in_words_and_the_page_goes_on(visit, photo, content, words):
    cards = ask(visit(), bad=content, good=photo)
    expect(cards.first.locator(".error")).to_contain_text(words)
    expect(cards.first.get_by_role("button", name="Try again")).to_be_hidden()
    expect(cards.last.locator(".label")).to_be_visible()


def test_a_lost_connection_is_told_in_words_and_tried_again_on_request(visit, photo):
    page = visit()
    page.context.set_offline(True)
    card = ask(page, a=photo)
    expect(card.locator(".error")).to_contain_text("did not answer")
    page.context.set_offline(False)
    card.get_by_role("button", name="Try again").click()
    expect(card.locator(".label")).to_be_visible()
    expect(card.locator(".error")).to_be_hidden()


def test_a_phone_offers_its_camera(visit):
    page = visit(**PHONE)
    expect(page.locator("label[for=camera]")).to_be_visible()
    expect(page.locator("#camera")).to_have_attribute("capture", "environment")


def test_feedback_reaches_the_log_under_the_id_of_the_answer(visit, service, photo):
    card = ask(visit(), a=photo)
    question = card.get_by_role("group", name="Was this right?")
    choice = question.get_by_role("button", name="Tulip")
    choice.press("Enter")
    expect(choice).to_have_attribute("aria-pressed", "true")
    told = [record for record in records(service.logs) if record["kind"] == "feedback"]
    assert told[-1]["request_id"] == card.locator(".id").inner_text()
    assert told[-1]["true_label"] == "Tulip"


def test_the_request_id_can_be_copied(visit, photo):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    card = ask(page, a=photo)
    card.get_by_role("button", name="Copy request id").click()
    expect(card.locator(".copied")).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == card.locator(".id").inner_text()


@pytest.mark.parametrize(
    "state", ["no report yet", "no predictions", "warming up", "ok", "notice", "alarm"]
)
def test_the_corner_shows_the_state_of_drift(visit, service, state):
    file = service.folder / "metrics" / "drift.json"
    file.parent.mkdir()
    try:
        if state != "no report yet":
            file.write_text(json.dumps({"state": state}))
        expect(visit().locator("#drift .state")).to_contain_text(f"Drift: {state}")
    finally:
        shutil.rmtree(file.parent)


def test_the_corner_says_what_rang_and_that_it_stays(visit, service):
    file = service.folder / "metrics" / "drift.json"
    file.parent.mkdir()
    alarm = {"rang_at": "2026-03-01T12:00:00.000000", "kind": "other flowers arrive"}
    try:
        told = {"state": "alarm", "alarm": alarm, "verdict": {"word": "harmful"}}
        file.write_text(json.dumps(told))
        page = visit()
        page.locator("#drift summary").click()
        for words in ("2026", "other flowers arrive", "until a person clears it", "harmful"):
            expect(page.locator("#drift .meaning")).to_contain_text(words)
    finally:
        shutil.rmtree(file.parent)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_text_can_be_read_and_fits_a_phone(visit, photo, colours):
    page = visit(color_scheme=colours, **PHONE)
    ask(page, **{"long" * 30: photo, "bad": b""})
    assert page.evaluate(RIGHT_EDGE) <= 390
    assert page.evaluate(LOW_CONTRAST) == []


def test_the_documentation_shows_every_operation_without_a_network(visit):
    page = visit("/docs")
    expect(page.locator(".opblock").last).to_be_visible()
    paths = yaml.safe_load((ROOT / "scoring/server/openapi.yaml").read_text())["paths"]
    shown = page.locator(".opblock-summary-path").evaluate_all(
        "(all) => all.map((one) => one.dataset.path)"
    )
    assert sorted(shown) == sorted(paths)
