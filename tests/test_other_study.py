"""A data set that shows no flowers: no word of them from the folder to the served page."""

import json
import re
import shutil

import gto.api
import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.repo_copy import TINY
from tests.scoring.server.service import run_server

STUDY = {"study.name": "bolts", "study.title": "Which part is it?", "study.noun": "part"}
CLASSES = ("rusty bolt", "washer", "Écrou", "螺丝")
PHOTOS = 40
# The package is named flowers; a path or module is no word that a user reads about the data.
CODE = re.compile(r"(from |import |\b)flowers[./]\w+")
DEFAULT_WORDS = re.compile("flower|lilly|lotus|orchid|tulip", re.IGNORECASE)


def draw_part(name, rng):
    """Draw a bolt, a washer, a nut or a screw of any size, place and colour."""
    image = Image.new("RGB", (64, 64), tuple(rng.integers(150, 256, 3).tolist()))
    draw = ImageDraw.Draw(image)
    colour = tuple(rng.integers(0, 110, 3).tolist())
    x, y = rng.integers(22, 42, 2).tolist()
    r = int(rng.integers(10, 20))
    match CLASSES.index(name):
        case 0:
            draw.rectangle((x - r, y - r // 3, x + r, y + r // 3), fill=colour)
            draw.rectangle((x - r, y - r, x - r // 2, y + r), fill=colour)
        case 1:
            draw.ellipse((x - r, y - r, x + r, y + r), outline=colour, width=r // 2)
        case 2:
            draw.regular_polygon((x, y, r), 6, fill=colour)
        case 3:
            draw.polygon([(x, y + r), (x - r, y - r), (x + r, y - r)], fill=colour)
    noise = rng.normal(0, 12, (64, 64, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def draw_photos(folder):
    for number, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for k in range(PHOTOS):
            image = draw_part(name, np.random.default_rng([number, k]))
            image.save(folder / name / f"{k:03}.jpg")


def assert_other(text, place):
    """No word of the default study, but for names of code."""
    match = DEFAULT_WORDS.search(CODE.sub("", text))
    assert match is None, f"{place}: {text[max(match.start() - 80, 0) : match.end() + 80]!r}"


@pytest.fixture
def other_repo(fresh_repo, tmp_path):
    """A repository with another study, before its first run."""
    repo = fresh_repo.copy_to(tmp_path / "repository")
    draw_photos(tmp_path / "parts")
    source = {"fetch.source": "folder", "fetch.path": str(tmp_path / "parts")}
    repo.set_params(**TINY | STUDY | source | {"flatten.features": ["hog"]})
    repo.commit("parts")
    return repo


def list_page_files(service):
    """Paths of the page of a server and of every file that it loads, directly or by import."""
    found = []
    queue = ["", "docs"]
    while queue:
        path = queue.pop()
        if path in found:
            continue
        found.append(path)
        if path.endswith((".webp", ".svg")):
            continue
        text = service.get(f"/{path}").body.decode()
        queue += re.findall(r'(?:src|href)="(static/[^"]+)"', text)
        queue += [f"static/{name}" for name in re.findall(r'from "\./([^"]+)"', text)]
        queue += [f"static/{name}" for name in re.findall(r'import "\./([^"]+)"', text)]
    return found


@pytest.mark.slow
def test_a_study_of_other_things_never_mentions_flowers(other_repo, monkeypatch):
    repo = other_repo
    output = repo.run("dvc", "repro")
    assert_other(output.stdout + output.stderr, "dvc repro")
    assert "missing" not in output.stderr and "Warning" not in output.stderr
    for folder in ("metrics", "plots", "data", "models/candidate"):
        for path in (repo.path / folder).rglob("*"):
            if path.suffix in (".json", ".csv", ".svg", ".html", ".md"):
                assert_other(path.read_text(errors="replace"), path)
    card = json.loads((repo.path / "models/candidate/card.json").read_text())
    assert card["study"] == {"name": "bolts", "title": "Which part is it?", "noun": "part"}
    assert sorted(card["classes"]) == sorted(CLASSES)
    repo.commit("run")
    for words in ("promote", "fetch", "status", "history"):
        done = repo.run("python", "-m", "scoring.registry", words)
        assert_other(done.stdout + done.stderr, words)
    tags = repo.run("git", "tag", "-n99").stdout
    assert "bolts@v1.0.0" in tags and "bolts#production#1" in tags
    assert_other(tags, "git tag")
    assert [version["version"] for version in gto.api.show(str(repo.path), "bolts")] == ["v1.0.0"]
    done = repo.run("dvc", "artifacts", "get", ".", "bolts", "-o", "model")
    assert (repo.path / "model/card.json").is_file(), done.stderr
    shutil.rmtree(repo.path / "model")
    photo = repo.path.parent / "parts/washer/000.jpg"
    for words in (str(photo), "--help"):
        done = repo.run("python", "-m", "scoring.predict", words)
        assert_other(done.stdout + done.stderr, f"scoring.predict {words}")
    with run_server(repo.path) as service:
        answer = service.predict(("a.jpg", photo.read_bytes()))
        assert answer.json["predictions"][0]["label"] == "washer"
        for path in [*list_page_files(service), "openapi.json", "version", "health", "metrics"]:
            body = service.get(f"/{path}").body.decode(errors="replace")
            assert_other(body, path)
        assert "Which part is it?" in service.get("/").body.decode()
        assert_other(service.output.read_text(), "lines of the server")
    (log,) = (repo.path / "logs").glob("*.jsonl")
    assert_other(log.read_text(), log)
    repo.run("dvc", "repro", "--force", "snapshot", "drift")
    assert_other((repo.path / "monitoring/drift/drift.json").read_text(), "drift.json")


@pytest.mark.slow
def test_a_new_name_trains_nothing_again(repo_copy):
    repo_copy.set_params(**STUDY)
    output = repo_copy.run("dvc", "repro").stdout
    stages = [line.split("'")[1] for line in output.splitlines() if line.startswith("Running")]
    assert "promote" in stages and "report" in stages
    assert not {"fetch", "resize", "split", "train_svm", "train_nb", "evaluate"} & set(stages)
