"""Choose the files of the site: pages and pictures of the repository, under their paths in it."""

import subprocess
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
# What the pages show or link to.
TRACKED = ("*.md", "docs", "plots/*.svg", "recipes/*.yaml", ":!*.py", ":!*.j2", ":!flowers")
DECISIONS = "docs/decisions/"  # GitHub lists the folder; the site has a page


def list_tracked_files():
    """List the paths of the tracked files of the site."""
    command = ("git", "ls-files", "-z", "--", *TRACKED)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def on_files(files, config):
    """Replace the files of docs/ by all files of the site, and add a page per package."""
    theme = [f for f in files if not Path(f.abs_src_path or "").is_relative_to(ROOT / "docs")]
    names = list_tracked_files()
    tracked = [File.generated(config, n, abs_src_path=str(ROOT / n)) for n in names]
    packages = [f"flowers.{p.stem}" for p in sorted((ROOT / "flowers").glob("[!_]*"))]
    links = [f"- [{Path(n).stem}]({Path(n).name})" for n in names if n.startswith(DECISIONS)]
    text = "\n".join(["# Decisions", "", *links])
    index = File.generated(config, f"{DECISIONS}index.md", content=text)
    api = [
        File.generated(config, f"api/{name}.md", content=f"# {name}\n\n::: {name}\n")
        for name in packages
    ]
    return Files([*theme, *tracked, index, *api])
