"""Promote models by git tags: python -m scoring.registry --help."""

from functools import partial

from scoring import cli

main = partial(cli.call_command, cli.registry, "python -m scoring.registry")

if __name__ == "__main__":
    cli.run(cli.registry, "scoring.registry")
