"""Features: from pixels to one row of numbers per image."""
