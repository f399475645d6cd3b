"""Measurements and comparisons, each one command: python -m benchmarks.<name>."""

from flowers.pins import pin

# What is measured is what is served.
pin()
