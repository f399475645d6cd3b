"""Shifts, traffic and simulated streams that measure the drift detector."""
