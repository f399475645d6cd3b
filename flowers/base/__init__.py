"""What every other package builds on: errors, files, parallel work, deterministic numerics."""

import sys

if sys.platform == "win32":
    sys.exit("flowers: Windows is not supported: use WSL, learn.microsoft.com/windows/wsl/install")
