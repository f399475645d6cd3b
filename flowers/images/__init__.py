"""From the bytes of photos to pixels, and what pixels have in common."""
