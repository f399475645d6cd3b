"""Simulated shifts and traffic, to measure false-alarm rate and power of the drift detector."""
