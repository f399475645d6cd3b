"""Learning: from rows of numbers to calibrated probabilities."""
