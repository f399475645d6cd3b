"""Speed, memory and attack, each one command: python -m benchmarks.<name>."""

from flowers.base.determinism import set_deterministic

# Before numpy is imported: the arithmetic measured is that of the stages and the scorer.
set_deterministic()
