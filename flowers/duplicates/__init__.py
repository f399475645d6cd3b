"""Search for near-duplicate images."""
