"""The command flowers without an installation: python -m scoring --help."""

from scoring.cli import main

if __name__ == "__main__":  # worker processes import this file too
    main()
