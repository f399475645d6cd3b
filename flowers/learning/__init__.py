"""From rows of numbers to calibrated probabilities."""
