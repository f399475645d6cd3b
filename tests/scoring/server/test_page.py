"""The page in a real browser, with the real server."""

import base64
import json
import re
import shutil

import numpy as np
import pytest
import yaml

from flowers.model.folder import load_predictor
from tests.browser import (
    BROKEN_WORDS,
    LOW_CONTRAST,
    PHONE,
    RIGHT_EDGE,
    launch_browser,
    needs_browser,
    playwright,
    upload_photos,
)
from tests.logged import read_records
from tests.scoring.server.service import ROOT, add_provenance, run_server, write_model

expect = playwright.expect
pytestmark = needs_browser

# Chromium itself reports a refused or failed request; the page has to show it too.
REFUSAL = re.compile(r"Failed to load resource: .*(a status of 4\d\d|ERR_INTERNET_DISCONNECTED)")
# A file as a drop or a paste brings it.
SEND_FILE = """([event, name, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const init = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(event === "drop"
    ? new DragEvent("drop", { ...init, dataTransfer: transfer })
    : new ClipboardEvent("paste", { ...init, clipboardData: transfer }));
}"""


@pytest.fixture(scope="module", name="browser")
def start_browser():
    with playwright.sync_playwright() as run:
        chromium = launch_browser(run)
        yield chromium
        chromium.close()


@pytest.fixture(name="visit")
def make_visit(browser, service):
    """Make a function that opens a path; other servers get no request, and the page no error."""
    requests = []
    errors = []
    contexts = []

    def open_page(path="/", port=service.port, **options):
        origin = f"http://127.0.0.1:{port}"
        context = browser.new_context(base_url=origin, reduced_motion="reduce", **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append((origin, request.url)))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: line.type == "error" and errors.append(line.text))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for origin, url in requests if not url.startswith(f"{origin}/")] == []
    assert [text for text in errors if not REFUSAL.match(text)] == []


def test_a_photo_gets_the_label_of_the_model_and_a_bar_per_class(visit, service, photo, classes):
    expected = service.predict(("a.jpg", photo)).json["predictions"][0]
    page = visit()
    expect(page.get_by_text("This model is on trial")).to_be_visible()
    expect(page.locator(".kind")).to_have_text(classes)
    page.locator(".kind img").last.scroll_into_view_if_needed()
    widths = page.locator(".kind img").evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert widths == [192] * 5
    card = upload_photos(page, a=photo)
    expect(page.locator(".kind").first).to_be_hidden()
    expect(page).to_have_title(
        f"a.jpg: {expected['label']}, {expected['confidence']:.0%} likely. Which flower is it?"
    )
    assert card.locator(".label").inner_text() == expected["label"]
    assert card.locator(".confidence").inner_text() == f"{expected['confidence']:.0%} likely"
    assert card.locator(".name").all_inner_texts() == list(expected["probabilities"])
    assert card.locator(".best .name").inner_text() == expected["label"]
    widths = card.locator(".fill").evaluate_all("all => all.map((e) => parseFloat(e.style.width))")
    shares = [100 * share for share in expected["probabilities"].values()]
    assert widths == pytest.approx(shares, abs=0.01)
    assert card.locator(".model").inner_text() == "Untagged model, on trial (candidate)"
    expect(card.locator(".doubt")).to_be_hidden()


def test_each_of_many_photos_gets_its_own_prediction_in_the_order_chosen(visit, service, photos):
    chosen = {name.removesuffix(".jpg"): photo for name, photo in list(photos.items())[::3]}
    answers = [service.predict((f"{name}.jpg", photo)) for name, photo in chosen.items()]
    expected = [answer.json["predictions"][0] for answer in answers]
    page = visit()
    cards = upload_photos(page, **chosen)
    for key in ("file", "label"):
        assert cards.locator(f".{key}").all_inner_texts() == [entry[key] for entry in expected]
    assert len(set(cards.locator(".id").all_inner_texts())) == len(chosen)
    expect(page.get_by_role("status").first).to_have_text(f"{len(chosen)} photos classified.")


@pytest.mark.slow
@pytest.mark.parametrize("event", ["drop", "paste"])
def test_photos_may_be_dropped_and_pasted(visit, photo, event):
    page = visit()
    page.evaluate(SEND_FILE, [event, "sent.jpg", base64.b64encode(photo).decode()])
    expect(page.locator(".label")).to_be_visible()
    expect(page.locator(".file")).to_have_text("sent.jpg")


def test_a_refused_photo_has_its_reason_in_words_and_the_others_are_classified(visit, photo):
    reasons = {
        "text": (b"no photo at all", "has to be a JPEG, PNG or WEBP file"),
        "empty": (b"", "empty"),
        "large": (b"\xff\xd8\xff" + bytes(3_000_000), "Choose a smaller photo"),
        "cut": (b"\xff\xd8\xff" + bytes(3_000), "Part of this photo is missing"),
    }
    contents = {name: content for name, (content, _) in reasons.items()}
    cards = upload_photos(visit(), **contents, good=photo)
    for number, (_, words) in enumerate(reasons.values()):
        expect(cards.nth(number).locator(".error")).to_contain_text(words)
        expect(cards.nth(number).get_by_role("button", name="Try again")).to_be_hidden()
    expect(cards.last.locator(".label")).to_be_visible()


def test_a_lost_connection_is_shown_and_the_photo_can_be_sent_again(visit, photo):
    page = visit()
    page.context.set_offline(True)
    card = upload_photos(page, a=photo)
    expect(card.locator(".error")).to_contain_text("did not respond")
    page.context.set_offline(False)
    card.get_by_role("button", name="Try again").click()
    expect(card.locator(".label")).to_be_visible()
    expect(card.locator(".error")).to_be_hidden()


def test_feedback_reaches_the_log_under_the_id_that_is_shown_and_copied(visit, service, photo):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    card = upload_photos(page, a=photo)
    choice = card.get_by_role("group", name="Was this right?").get_by_role("button", name="Tulip")
    choice.press("Enter")
    expect(choice).to_have_attribute("aria-pressed", "true")
    request_id = card.locator(".id").inner_text()
    labels = [record for record in read_records(service.logs) if record["kind"] == "feedback"]
    assert (labels[-1]["request_id"], labels[-1]["true_label"]) == (request_id, "Tulip")
    card.get_by_role("button", name="Copy request id").click()
    expect(card.locator(".copied")).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == request_id


def test_the_corner_shows_the_state_of_drift_and_the_alert(visit, service):
    expect(visit().locator("#drift .state")).to_contain_text("Drift: no report yet")
    file = service.folder / "monitoring" / "drift" / "drift.json"
    file.parent.mkdir(parents=True)
    alert = {"detected_at": "2026-03-01T12:00:00.000000", "kind": "label shift"}
    try:
        for state in ("no predictions", "warming up", "ok", "notice", "alert"):
            report = {"alert": alert, "performance": {"status": "drop"}} if state == "alert" else {}
            file.write_text(json.dumps({"state": state} | report))
            page = visit()
            expect(page.locator("#drift .state")).to_contain_text(f"Drift: {state}")
        page.locator("#drift summary").click()
        for words in ("2026", "label shift", "until it is acknowledged", "drop"):
            expect(page.locator("#drift .meaning")).to_contain_text(words)
    finally:
        shutil.rmtree(file.parent)


@pytest.mark.slow
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_text_can_be_read_and_fits_a_phone_with_a_camera(visit, photo, colours):
    page = visit(color_scheme=colours, **PHONE)
    expect(page.locator("label[for=camera]")).to_be_visible()
    expect(page.locator("#camera")).to_have_attribute("capture", "environment")
    upload_photos(page, **{"long" * 30: photo, "bad": b""})
    assert page.evaluate(RIGHT_EDGE) <= 390
    assert page.evaluate(LOW_CONTRAST) == []
    lines = page.locator(".brand span").evaluate("(brand) => brand.getClientRects().length")
    assert lines == 1 and page.locator(".brand").bounding_box()["height"] < 40


@pytest.mark.slow
def test_the_documentation_shows_every_operation_without_a_network(visit):
    page = visit("/docs")
    expect(page.locator(".operation").last).to_be_visible()
    paths = yaml.safe_load((ROOT / "scoring/server/openapi.yaml").read_text())["paths"]
    shown = page.locator(".operation").evaluate_all("(all) => all.map((one) => one.dataset.path)")
    assert sorted(shown) == sorted(paths)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_the_documentation_breaks_no_word_and_shows_names_as_code(visit, options):
    page = visit("/docs", **options)
    expect(page.locator(".operation").last).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate(BROKEN_WORDS) == []
    assert "`" not in page.locator("main").inner_text()
    expect(page.locator("#description code").first).to_have_text("X-Request-Id")


@pytest.mark.slow
def test_a_share_is_on_one_line(visit, photo):
    card = upload_photos(visit(**PHONE), a=photo)
    heights = card.locator(".share").evaluate_all(
        """(all) => all.map((one) => {
          one.textContent = "> 99%";
          one.parentElement.className = "best";
          return one.getClientRects()[0].height / parseFloat(getComputedStyle(one).lineHeight);
        })"""
    )
    assert max(heights) < 1.5


@pytest.mark.slow
def test_a_promoted_model_is_shown_by_its_version_and_may_be_uncertain(visit, place, photo):
    folder = shutil.copytree(place / "models/candidate", place / "models/production")
    card = json.loads((folder / "card.json").read_text())
    metrics = {"metrics": {"confidence_threshold": 1.0}}
    (folder / "card.json").write_text(json.dumps(card | metrics))
    add_provenance(folder, version="v1.2.0")
    with run_server(place) as service:
        (prediction,) = service.predict(("a.jpg", photo)).json["predictions"]
        assert prediction["confident"] is False
        page = visit(port=service.port)
        expect(page.locator(".kind")).to_have_count(5)
        expect(page.locator("#untagged")).to_be_hidden()
        shown = upload_photos(page, a=photo)
        assert shown.locator(".model").inner_text() == "Model v1.2.0, production"
        words = f"Not sure. Perhaps {prediction['label']}"
        expect(shown.locator(".prediction")).to_contain_text(words)
        expect(shown.locator(".doubt")).to_be_visible()
        expect(page.get_by_role("status").first).to_contain_text("not sure")


HOSTILE_NAMES = ["<img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "螺丝 🔩", "ברגים", "x" * 200]


def write_other_model(folder, photos, study):
    """Write a model of other classes, whose card has `study` or, if None, no study."""
    model = load_predictor(folder).estimator
    model.classes_ = np.array(HOSTILE_NAMES)
    write_model(folder, model, dict(list(photos.items())[::4]))
    card = json.loads((folder / "card.json").read_text()) | {"study": study}
    if study is None:
        del card["study"]
    (folder / "card.json").write_text(json.dumps(card))


@pytest.mark.slow
def test_the_page_shows_the_study_and_the_classes_of_any_model(visit, place, photos):
    study = {"name": "b" * 50, "title": "<i>Bolts</i> & nuts", "noun": "screw or nut"}
    write_other_model(place / "models/candidate", photos, study)
    with run_server(place) as other:
        page = visit(port=other.port, **PHONE)
        expect(page.locator(".kind")).to_have_text(HOSTILE_NAMES)
        expect(page.locator(".kind img")).to_have_count(0)
        expect(page).to_have_title(study["title"])
        expect(page.locator("h1")).to_have_text(study["title"])
        expect(page.locator(".brand")).to_have_text(study["name"])
        assert page.evaluate(RIGHT_EDGE) <= 390
        card = upload_photos(page, a=next(iter(photos.values())))
        expect(card.locator("legend")).to_contain_text("Choose the screw or nut it shows")
        expect(card.locator(".classes button")).to_have_text(HOSTILE_NAMES)
        assert page.evaluate(RIGHT_EDGE) <= 390
        assert page.locator(".brand").bounding_box()["height"] < 40
        expect(visit("/docs", port=other.port)).to_have_title(f"{study['title']} · API")
        assert other.get("/version").json["study"] == study


@pytest.mark.slow
def test_a_card_without_a_study_gives_general_words(place, photos):
    write_other_model(place / "models/candidate", photos, None)
    with run_server(place) as other:
        html = other.get("/").body.decode()
        assert "<title>Image classifier</title>" in html and "Choose the class it shows" in html
        assert "flower" not in html.lower()
        assert "flower" not in other.get("/openapi.json").body.decode().lower()
