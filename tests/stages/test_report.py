"""The report of a run, opened from the disk in a real browser."""

import json

import pytest

from tests.browser import LOW_CONTRAST, PHONE, launched, needs_browser, playwright

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as run:
        browser = launched(run)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, finished_run):
    """Open the report as a file; it asks for nothing else, and nothing complains."""
    contexts, asked, complaints = [], [], []
    path = finished_run.path / "plots/report.html"

    def on(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda line: complaints.append(line.text))
        page.goto(path.as_uri())
        return page

    yield on
    for context in contexts:
        context.close()
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}
    assert complaints == []


def test_it_opens_from_the_disk_with_every_picture(opened):
    pictures = opened().locator("img")
    assert pictures.count() == 7
    assert pictures.evaluate_all("all => all.every((one) => one.naturalWidth > 50)")


def test_it_says_what_the_figures_say(opened, finished_run):
    svm = json.loads((finished_run.path / "metrics/evaluate.json").read_text())["svm"]
    drift = json.loads((finished_run.path / "metrics/drift.json").read_text())
    page = opened()
    assert f"{100 * svm['accuracy']:.1f} %" in page.locator(".result").inner_text()
    assert f"{100 * svm['accuracy']:.1f} %" in page.title()
    assert page.locator("h2#drift + p strong").inner_text() == drift["state"]


def test_its_links_lead_to_its_parts(opened):
    page = opened()
    for link in page.locator("nav a").all():
        link.click()
        assert page.locator(page.evaluate("location.hash")).is_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_can_be_read_on_a_phone(opened, colours):
    page = opened(color_scheme=colours, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(LOW_CONTRAST) == []


def test_it_is_the_same_bytes_again(workdir):
    before = (workdir.path / "plots/report.html").read_bytes()
    workdir.run_stage("report")
    assert (workdir.path / "plots/report.html").read_bytes() == before


def test_it_shows_the_state_of_the_last_drift_report(workdir):
    path = workdir.path / "metrics/drift.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"state": "alarm"}))
    workdir.run_stage("report")
    assert "<strong>alarm</strong>" in (workdir.path / "plots/report.html").read_text()
