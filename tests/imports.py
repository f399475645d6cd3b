"""Which files of this project a module imports, followed to the end by reading the source."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("flowers", "stages", "scoring", "benchmarks", "tests")


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
    """`files_behind`, the files in a room of the library as their room."""
    files = map(Path, files_behind(module))
    return sorted({str(Path(*f.parts[:2]) if f.parts[0] == "flowers" else f) for f in files})


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
