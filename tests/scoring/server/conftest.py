"""A browser that visits the page of the real server."""

import re

import pytest

# Chromium itself reports a refused or failed request; the page has to show it too.
REFUSAL = re.compile(r"Failed to load resource: .*(a status of 4\d\d|ERR_INTERNET_DISCONNECTED)")


@pytest.fixture(scope="module")
def browser():
    # Imported here, so that without playwright only the tests of the page are skipped.
    from tests.browser import launch_browser, playwright

    with playwright.sync_playwright() as run:
        browser = launch_browser(run)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, service):
    """A function that opens a path; no other server may get a request, and no error is logged."""
    requests, errors, contexts = [], [], []

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
