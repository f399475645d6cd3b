"""The repository, commands in it, and clones of its last commit."""

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
# "python" and "dvc" are those of this interpreter, also without an activated environment.
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
}


def run_command(*command, cwd=ROOT):
    """Run a command with its output shown; exit with its code if it fails."""
    code = subprocess.run(command, cwd=cwd, env=ENVIRONMENT).returncode
    if code:
        sys.exit(f"{' '.join(map(str, command))} failed with exit code {code}")


@contextmanager
def clone_repository():
    """Clone the last commit, without any cache of DVC, into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="flowers-") as folder:
        clone = Path(folder) / "repository"
        run_command("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone))
        yield clone
