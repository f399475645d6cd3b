"""Decode images, compute their statistics, and write the image index and contact sheets."""
