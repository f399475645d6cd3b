"""The report page of a run, opened from disk in a real browser."""

import json

import pytest

from flowers.base.tables import format_percent
from tests.browser import (
    BROKEN_WORDS,
    LOW_CONTRAST,
    PHONE,
    launch_browser,
    needs_browser,
    playwright,
)

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as run:
        chromium = launch_browser(run)
        yield chromium
        chromium.close()


@pytest.fixture
def open_report(browser, finished_run):
    """Open the report as a file and check that it loads nothing else and logs no message."""
    contexts = []
    requests = []
    messages = []
    path = finished_run.path / "plots/report.html"

    def open_page(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda line: messages.append(line.text))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert {url for url in requests if not url.startswith("data:")} == {path.as_uri()}
    assert messages == []


def test_the_report_shows_every_image(open_report):
    images = open_report().locator("img")
    assert images.count() == 6  # no tuning chart of one candidate
    assert images.evaluate_all("all => all.every((image) => image.naturalWidth > 50)")


def test_the_report_shows_the_metrics_of_the_run(open_report, finished_run):
    svm = json.loads((finished_run.path / "metrics/evaluate.json").read_text())["svm"]
    page = open_report()
    share = format_percent(svm["accuracy"])
    assert share in page.locator(".result").inner_text().replace("\xa0", " ")
    assert share in page.title().replace("\xa0", " ")
    assert "make drift" in page.locator("h2#drift + p").inner_text()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_report_is_readable_on_a_phone(open_report, colours):
    page = open_report(color_scheme=colours, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(LOW_CONTRAST) == []
    assert page.evaluate(BROKEN_WORDS) == []
    wider = "all => all.filter((box) => box.scrollWidth > box.clientWidth).length"
    assert page.locator(".scroll:has(table)").evaluate_all(wider) >= 2


def test_a_second_run_gives_equal_bytes(workdir):
    before = (workdir.path / "plots/report.html").read_bytes()
    workdir.run_stage("report")
    assert (workdir.path / "plots/report.html").read_bytes() == before
