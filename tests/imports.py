"""Imports between the modules of this project, from their source, without running them."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("flowers", "stages", "scoring", "study", "benchmarks", "tests")


@cache
def find_file(module):
    """Path of a module of this project relative to its root, or None."""
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None


@cache
def list_imports(path):
    """Names of the modules of this project that one file imports."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in PACKAGES and find_file(name)}


def list_files(module):
    """Files that are loaded with a module: its own, its packages and all their imports."""
    files = set()
    queue = [module]
    while queue:
        name = queue.pop()
        path = find_file(name)
        if path in files:
            continue
        files.add(path)
        queue += list_imports(path)
        queue += [name.rpartition(".")[0]] if "." in name else []
    return sorted(str(path) for path in files if (ROOT / path).stat().st_size)


def list_packages(module):
    """`list_files` as the paths that dvc.yaml declares: packages of the library, stages/support.

    stages/__init__.py is left out; it only imports stages.support.
    """
    files = {Path(name) for name in list_files(module)} - {Path("stages/__init__.py")}
    packages = ("flowers", "stages/support")
    return sorted({str(Path(*f.parts[:2]) if str(f).startswith(packages) else f) for f in files})
