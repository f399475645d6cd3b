"""Get image files from archives, downloads, folders and the synthetic generator."""
