"""Synthetic flower images, generated from seeds."""
