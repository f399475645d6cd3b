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


def run_recorded(*command, cwd=ROOT):
    """Run a command as `run_command` does; return the lines of its standard output."""
    lines = []
    process = subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, errors="replace"
    )
    with process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed with exit code {process.returncode}")
    return lines


@contextmanager
def clone_repository():
    """Clone the last commit, without any cache of DVC, into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="flowers-") as folder:
        clone = Path(folder) / "repository"
        run_command("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone))
        yield clone
