"""Simulated shifts and traffic, and the false-alarm rate and power of the drift detector on them."""
