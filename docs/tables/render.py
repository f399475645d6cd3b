"""Render the marked regions of README.md, ARCHITECTURE.md and docs/.

The region between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->`` is rendered from
docs/tables/NAME.md.j2. Templates read metrics/, study/ and benchmarks/ by ``load("race.json")``
and the recorded output of commands in docs/shown/ by ``shown("curl")``.
"""

import re
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks import growth
from benchmarks.attack_photos import MAX_MB, MAX_SECONDS
from flowers.base.tables import read_json
from study.recipes import FOLDER, list_recipes
from study.repository import ROOT

PAGES = (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md")))
REGION = re.compile(r"(<!-- ([\w-]+):begin -->\n).*?(<!-- \2:end -->)", re.DOTALL)
FEATURES = {
    "pixels": "pixels",
    "pixels-tuned": "pixels, C tuned on train",
    "hog-colour": "`hog` and `colour`",
    "fisher-small": "`fisher-small`",
    "fisher-large": "`fisher-large`",
}


def read_shown(name):
    """Return the recorded output of a command as a code block."""
    return f"```text\n{(ROOT / 'docs/shown' / name).with_suffix('.txt').read_text()}```"


@cache
def read_stage_graph():
    """Stage names of dvc.yaml with the stages that depend on them, as `dvc dag` lists them."""
    command = [sys.executable, "-m", "dvc", "dag", "--mermaid"]
    graph = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r'(node\d+)\["(\w+)"\]', graph))
    edges = re.findall(r"(node\d+)-->(node\d+)", graph)
    return {
        name: [names[t] for source, t in edges if source == node and t in names]
        for node, name in names.items()
    }


def read_recipe_comments():
    """Read the two lines at the top of each recipe: what it is, and what it costs."""
    lines = {name: (FOLDER / f"{name}.yaml").read_text().splitlines() for name in list_recipes()}
    return {name: [line.removeprefix("# ") for line in text[:2]] for name, text in lines.items()}


def format_interval(figures):
    """Format an accuracy with its interval."""
    low, high = (figures[f"accuracy_{end}"] for end in ("low", "high"))
    return f"{figures['accuracy']:.3f} ({low:.3f} to {high:.3f})"


def format_number(value, spec=","):
    """Format a number by a Python format specification; a string is read as an integer."""
    return format(int(value) if isinstance(value, str) else value, spec)


def format_latency(figures):
    """Format the median and the 99th percentile of response times."""
    return f"p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms"


def wrap_text(text):
    """Wrap a paragraph at 100 characters, with a number and its percent sign on one line."""
    words = " ".join(text.split()).replace(" %", "\N{NO-BREAK SPACE}%")
    return textwrap.fill(words, 100, break_on_hyphens=False).replace("\N{NO-BREAK SPACE}", " ")


def extrapolate_search(figures, size):
    """CPU seconds and memory of a near-duplicate search of `size` photos.

    Time has a part per photo and a part per pair, memory a part per photo; both go through the
    two largest measurements.
    """
    (a, less), (b, more) = [(int(n), row) for n, row in figures.items()][-2:]
    per_pair = (more["cpu_s"] / b - less["cpu_s"] / a) / (b - a)
    cpu = size * (less["cpu_s"] / a + max(per_pair, 0) * (size - a))
    return cpu, less["peak_mb"] + (more["peak_mb"] - less["peak_mb"]) / (b - a) * (size - a)


@cache
def create_environment():
    """Create the Jinja environment of all templates."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "interval": format_interval,
        "latency": format_latency,
        "number": format_number,
        "wrap": wrap_text,
    }
    environment.globals |= {
        "load": lambda path: read_json(ROOT / path),
        "shown": read_shown,
        "read_recipe_comments": read_recipe_comments,
        "read_stage_graph": read_stage_graph,
        "extrapolate_search": extrapolate_search,
        "growth": growth,
        "FEATURES": FEATURES,
        "MAX_SECONDS": MAX_SECONDS,
        "MAX_MB": MAX_MB,
    }
    return environment


def render_page(text):
    """Return the text of a page with its marked regions rendered."""
    environment = create_environment()

    def render_region(match):
        begin, name, end = match.groups()
        table = environment.get_template(f"{name}.md.j2").render()
        return f"{begin}{table.strip()}\n{end}"

    return REGION.sub(render_region, text)
