"""From pixels to rows of numbers."""
