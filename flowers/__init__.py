"""The library: arrays in, arrays out, no path of the pipeline."""

import sys

if sys.platform == "win32":
    sys.exit("flowers: Windows is not supported: use WSL, learn.microsoft.com/windows/wsl/install")
