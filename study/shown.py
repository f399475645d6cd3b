"""Run what README.md shows and keep what it says: python -m study.shown, then make readme."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.serve import MODEL, server
from study.repository import ENVIRONMENT, ROOT, clone_repository

SHOWN = ROOT / "docs" / "shown"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ANOTHER = ("--name", "textures", "-S", "flatten.features=[hog,colour]")


def said(*command, cwd=ROOT):
    """What a command prints; the command must succeed."""
    done = subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def run_and_compare():
    """Keep what every stage says, and what another run changes."""
    cache = said("dvc", "cache", "dir").strip()
    with clone_repository() as copy:
        said("dvc", "cache", "dir", "--local", cache, cwd=copy)
        told = said("dvc", "repro", "--force", cwd=copy)
        lines = [line for line in told.splitlines() if re.match(r"[a-z_]+: ", line)]
        keep("repro", "\n".join(lines))
        # As far as the figures that are compared: what comes after takes as long again.
        said("dvc", "exp", "run", *ANOTHER, "evaluate", cwd=copy)
        keep("diff", said("dvc", "metrics", "diff", cwd=copy))


def run_tests():
    """Keep the last line of make test."""
    told = said("python", "-m", "pytest", "-n", "auto", "-m", "not slow")
    keep("test", told.strip().splitlines()[-1])


def ask_the_scorer():
    """Keep an answer to curl, and a picture of the page with the same photo."""
    with tempfile.TemporaryDirectory() as folder, server(folder) as (port, _, _):
        url = f"http://127.0.0.1:{port}"
        named, answer = first_right(folder, f"{url}/predict")
        lines = re.sub(r"(.{60,98},)", r"\1\n", answer)
        keep("curl", f"$ curl -F file=@{named.name} http://127.0.0.1:5000/predict\n{lines}")
        with sync_playwright() as run:
            chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
            browser = run.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 900, "height": 790})
            page.goto(url)
            page.set_input_files("#photos", named)
            page.locator(".card .label").wait_for()
            page.screenshot(path=ROOT / "docs" / "page.png", animations="disabled")
            browser.close()


def first_right(folder, url):
    """A copy of the first golden photo whose label is right, named after it; and the answer."""
    for photo in sorted((MODEL / "golden").iterdir()):
        label = photo.stem.partition("-")[2]
        named = Path(folder) / f"{label.lower()}.jpg"
        shutil.copy(photo, named)
        answer = said("curl", "--silent", "-F", f"file=@{named}", url)
        if json.loads(answer)["label"] == label:
            return named, answer
    raise SystemExit(f"the model is wrong on every photo of {MODEL / 'golden'}")


def keep(name, text):
    SHOWN.mkdir(parents=True, exist_ok=True)
    lines = [line.rstrip() for line in text.strip().splitlines()]
    (SHOWN / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    ask_the_scorer()
    run_and_compare()
    run_tests()
