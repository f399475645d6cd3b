"""A browser that visits the page of the real server."""

import re

import pytest

# How Chromium itself reports an answer that is an error, and none; the page has to say it too.
REFUSAL = re.compile(r"Failed to load resource: .*(a status of 4\d\d|ERR_INTERNET_DISCONNECTED)")


@pytest.fixture(scope="module")
def browser():
    # Here and not above: without playwright only the tests of the page are skipped.
    from tests.browser import launch_browser, playwright

    with playwright.sync_playwright() as run:
        browser = launch_browser(run)
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
