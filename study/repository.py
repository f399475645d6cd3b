"""A clone of the last commit with a cache of its own: what a newcomer has."""

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
# "python" and "dvc" are those of this interpreter, in an activated environment or not.
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
}


def run_command(*command, cwd=ROOT):
    """Run a command where its output is seen; stop with its exit code if it fails."""
    code = subprocess.run(command, cwd=cwd, env=ENVIRONMENT).returncode
    if code:
        sys.exit(f"{' '.join(map(str, command))} failed with exit code {code}")


@contextmanager
def clone_repository():
    """The path of a clone that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="flowers-") as folder:
        copy = Path(folder) / "repository"
        run_command("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(copy))
        yield copy
