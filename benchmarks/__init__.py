"""Measurements and comparisons, each one command: python -m benchmarks.<name>."""
