"""Measurements and comparisons, each one command: python -m benchmarks.<name>."""

from flowers.base.determinism import set_deterministic

# What is measured is what is served.
set_deterministic()
