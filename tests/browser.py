"""A real browser for the pages."""

import shutil
from pathlib import Path

import pytest

playwright = pytest.importorskip(
    "playwright.sync_api", reason="pages are tested with the package playwright"
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no browser: apt-get install chromium")
# No sandbox, which root cannot use, and no background requests.
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# The right edge of every element: content that a card clips does not make the page scroll.
RIGHT_EDGE = """() => Math.max(document.documentElement.scrollWidth,
  ...[...document.querySelectorAll("body *")].map((at) => at.getBoundingClientRect().right))"""
# Words that are shown on more than one line, hidden ones aside.
BROKEN_WORDS = r"""() => {
  const broken = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const word of texts.currentNode.data.matchAll(/[\p{L}\p{N}_]+/gu)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""
LOW_CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


def launch_browser(run):
    """Launch a browser of a playwright `run`."""
    return run.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


def upload_photos(page, **photos):
    """Choose photos by name and wait until each has a prediction or error."""
    files = [
        {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": photo}
        for name, photo in photos.items()
    ]
    page.set_input_files("#photos", files)
    playwright.expect(page.locator(".card")).to_have_count(len(files))
    playwright.expect(page.locator(".waiting:visible")).to_have_count(0)
    return page.locator(".card")
