"""Run the commands that the README shows and record their output: python -m docs.tables.shown.

Writes docs/shown/*.txt, which `python -m docs.tables` renders, and pictures: docs/page.png and
docs/drift-*.svg.
"""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.serve import MODEL, start_scorer
from flowers.base.tables import read_csv
from flowers.splits import split_at_random
from study import simulated_month
from study.experiments import format_options
from study.recipes import read_recipe
from study.repository import ENVIRONMENT, ROOT, clone_repository

SHOWN = ROOT / "docs" / "shown"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EXPERIMENT = ("--name", "pixels", *format_options(read_recipe("pixels")))


def capture_output(*command, cwd=ROOT):
    """Return what a command prints; the command must succeed."""
    done = subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def write_shown(name, text):
    """Write recorded output without trailing spaces."""
    SHOWN.mkdir(parents=True, exist_ok=True)
    lines = [line.rstrip() for line in text.strip().splitlines()]
    (SHOWN / f"{name}.txt").write_text("\n".join(lines) + "\n")


def record_pipeline():
    """Record the line of every stage, and the metrics that an experiment changes."""
    cache = capture_output("dvc", "cache", "dir").strip()
    with clone_repository() as clone:
        capture_output("dvc", "cache", "dir", "--local", cache, cwd=clone)
        output = capture_output("dvc", "repro", "--force", cwd=clone)
        lines = [line for line in output.splitlines() if re.match(r"[a-z_]+: ", line)]
        write_shown("repro", "\n".join(lines))
        # Up to evaluate: the later stages do not change the metrics.
        capture_output("dvc", "exp", "run", *EXPERIMENT, "evaluate", cwd=clone)
        write_shown("diff", capture_output("dvc", "metrics", "diff", cwd=clone))
        record_audit(clone)


def record_audit(clone):
    """Record the audit of the photos of a run after a random split into train and test."""
    index = read_csv(clone / "data" / "index.csv")
    test = split_at_random(index["label"], test_size=0.2, seed=42)
    for path, is_test in zip(index["path"], test, strict=True):
        copy = clone / "photos" / ("test" if is_test else "train") / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clone / "data" / "photos" / path, copy)
    output = capture_output("python", "-m", "study.audit", "photos", cwd=clone)
    write_shown("audit", f"$ make audit SOURCE=photos\n{output}")


def record_scorer():
    """Record a response to curl, and the page with the same photo."""
    with tempfile.TemporaryDirectory() as folder, start_scorer(folder) as (port, _, _):
        url = f"http://127.0.0.1:{port}"
        photo, response = find_correct_photo(folder, f"{url}/predict")
        lines = re.sub(r"(.{60,98},)", r"\1\n", response)
        write_shown("curl", f"$ curl -F file=@{photo.name} http://127.0.0.1:5000/predict\n{lines}")
        with sync_playwright() as run:
            chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
            browser = run.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 900, "height": 790})
            page.goto(url)
            page.set_input_files("#photos", photo)
            page.locator(".card .label").wait_for()
            page.screenshot(path=ROOT / "docs" / "page.png", animations="disabled")
            browser.close()


def find_correct_photo(folder, url):
    """Copy the first golden photo that is classified correctly; return the copy and the response.

    The copy is named after its class.
    """
    for golden in sorted((MODEL / "golden").iterdir()):
        label = golden.stem.partition("-")[2]
        photo = Path(folder) / f"{label.lower()}.jpg"
        shutil.copy(golden, photo)
        response = capture_output("curl", "--silent", "-F", f"file=@{photo}", url)
        if json.loads(response)["predictions"][0]["label"] == label:
            return photo, response
    raise SystemExit(f"the model misclassifies every photo of {MODEL / 'golden'}")


if __name__ == "__main__":
    simulated_month.main()
    record_scorer()
    record_pipeline()
