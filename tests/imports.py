"""Which files of this project a module imports, followed to the end by reading the source."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("flowers", "stages", "scoring", "study", "benchmarks", "tests")


def file_of(module):
    """The path of a module of this project relative to its root, or None."""
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None


def imported_modules(path):
    """Names of project modules that one file imports."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in PACKAGES and file_of(name)}


def rooms_behind(module):
    """`files_behind` as the paths that dvc.yaml declares: packages of the library, stages/support.

    Left out is stages/__init__.py, which does nothing but import stages.support.
    """
    files = {Path(name) for name in files_behind(module)} - {Path("stages/__init__.py")}
    packages = ("flowers", "stages/support")
    return sorted({str(Path(*f.parts[:2]) if str(f).startswith(packages) else f) for f in files})


def files_behind(module):
    """Files that running a module reads: itself, its packages and all they import; none empty."""
    found, queue = set(), [module]
    while queue:
        name = queue.pop()
        path = file_of(name)
        if path in found:
            continue
        found.add(path)
        queue += imported_modules(path)
        queue += [name.rpartition(".")[0]] if "." in name else []
    return sorted(str(path) for path in found if (ROOT / path).stat().st_size)
