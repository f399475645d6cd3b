"""The page in a real browser, talking to the real server."""

import base64
import json
import shutil

import pytest
import yaml

from tests.browser import LOW_CONTRAST, PHONE, RIGHT_EDGE, needs_browser, playwright, upload_photos
from tests.logged import read_records
from tests.scoring.server.service import ROOT

expect = playwright.expect
pytestmark = needs_browser

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


def test_a_photo_gets_the_label_of_the_model_and_a_bar_per_class(visit, service, photo):
    expected = service.predict(("a.jpg", photo)).json["predictions"][0]
    card = upload_photos(visit(), a=photo)
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


def test_each_of_many_photos_gets_its_own_answer_in_the_order_chosen(visit, service, photos):
    chosen = {name.removesuffix(".jpg"): photo for name, photo in list(photos.items())[::3]}
    expected = [
        service.predict((f"{name}.jpg", photo)).json["predictions"][0]
        for name, photo in chosen.items()
    ]
    page = visit()
    cards = upload_photos(page, **chosen)
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
    cards = upload_photos(visit(), bad=content, good=photo)
    expect(cards.first.locator(".error")).to_contain_text(words)
    expect(cards.first.get_by_role("button", name="Try again")).to_be_hidden()
    expect(cards.last.locator(".label")).to_be_visible()


def test_a_lost_connection_is_told_in_words_and_tried_again_on_request(visit, photo):
    page = visit()
    page.context.set_offline(True)
    card = upload_photos(page, a=photo)
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
    card = upload_photos(visit(), a=photo)
    question = card.get_by_role("group", name="Was this right?")
    choice = question.get_by_role("button", name="Tulip")
    choice.press("Enter")
    expect(choice).to_have_attribute("aria-pressed", "true")
    labels = [record for record in read_records(service.logs) if record["kind"] == "feedback"]
    assert labels[-1]["request_id"] == card.locator(".id").inner_text()
    assert labels[-1]["true_label"] == "Tulip"


def test_the_request_id_can_be_copied(visit, photo):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    card = upload_photos(page, a=photo)
    card.get_by_role("button", name="Copy request id").click()
    expect(card.locator(".copied")).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == card.locator(".id").inner_text()


@pytest.mark.parametrize(
    "state", ["no report yet", "no predictions", "warming up", "ok", "notice", "alert"]
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


def test_the_corner_shows_the_alert_and_that_it_stays(visit, service):
    file = service.folder / "metrics" / "drift.json"
    file.parent.mkdir()
    alert = {"detected_at": "2026-03-01T12:00:00.000000", "kind": "label shift"}
    try:
        report = {"state": "alert", "alert": alert, "performance": {"status": "drop"}}
        file.write_text(json.dumps(report))
        page = visit()
        page.locator("#drift summary").click()
        for words in ("2026", "label shift", "until it is acknowledged", "drop"):
            expect(page.locator("#drift .meaning")).to_contain_text(words)
    finally:
        shutil.rmtree(file.parent)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_text_can_be_read_and_fits_a_phone(visit, photo, colours):
    page = visit(color_scheme=colours, **PHONE)
    upload_photos(page, **{"long" * 30: photo, "bad": b""})
    assert page.evaluate(RIGHT_EDGE) <= 390
    assert page.evaluate(LOW_CONTRAST) == []
    lines = page.locator(".brand span").evaluate("(brand) => brand.getClientRects().length")
    assert lines == 1 and page.locator(".brand").bounding_box()["height"] < 40


def test_the_documentation_shows_every_operation_without_a_network(visit):
    page = visit("/docs")
    expect(page.locator(".operation").last).to_be_visible()
    paths = yaml.safe_load((ROOT / "scoring/server/openapi.yaml").read_text())["paths"]
    shown = page.locator(".operation").evaluate_all("(all) => all.map((one) => one.dataset.path)")
    assert sorted(shown) == sorted(paths)
